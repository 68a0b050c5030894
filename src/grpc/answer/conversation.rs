//! What became of the import of a conversation.

use crate::app::Imported;
use crate::app::Taken;
use crate::conversation::Remark;
use crate::conversation::Remarks;
use crate::conversation::divide;
use crate::conversation::draft::Drafted;
use crate::conversation::draft::Skipped;
use crate::grpc::answer::score;
use crate::wire::claim;
use crate::wire::listed;
use crate::wire::pb;
use crate::wire::value::encode_moment;

/// The most bytes of a statement's words that are told back.
const QUOTE_BYTES_MAX: usize = 240;

/// The most skipped turns that are told.
const SKIPPED_MAX: usize = 1_000;

pub fn encode(imported: &Imported) -> pb::ImportTranscriptResponse {
    let Imported {
        id,
        conversation,
        taken,
        skipped,
        score,
        score_before,
        revision,
    } = imported;
    let already = taken.iter().filter(|taken| taken.already).count();
    let speakers = conversation.speakers().into_iter();
    pb::ImportTranscriptResponse {
        transcript_id: id.as_str().into(),
        format: listed::number_or_unset(conversation.format),
        encoding: conversation.encoding.into(),
        statements: taken.iter().map(encode_statement).collect(),
        skipped: skipped
            .iter()
            .take(SKIPPED_MAX)
            .map(encode_skipped)
            .collect(),
        not_understood: encode_remarks(&conversation.not_understood),
        left_out: encode_remarks(&conversation.left_out),
        doubtful: encode_remarks(&conversation.doubtful),
        already_recorded: already as u32,
        score: Some(score::encode(score)),
        score_before: *score_before,
        revision: *revision,
        speakers: speakers
            .map(|(label, turns)| pb::TranscriptSpeaker {
                label: label.into(),
                turns: turns as u32,
            })
            .collect(),
    }
}

fn encode_statement(taken: &Taken) -> pb::ImportedStatement {
    let Taken { drafted, already } = taken;
    let Drafted {
        statement,
        turn,
        line,
    } = drafted;
    let speaker = statement.voice.speaker();
    pb::ImportedStatement {
        statement_id: statement.id.as_str().into(),
        stakeholder_id: speaker.map_or_else(String::new, |one| one.stakeholder.as_str().into()),
        said_at: Some(encode_moment(statement.said_at)),
        quote: divide::beginning(statement.quote.as_str(), QUOTE_BYTES_MAX).into(),
        claims: statement.claims.iter().map(claim::encode).collect(),
        already_recorded: *already,
        turn: *turn as u32,
        line: *line as u32,
    }
}

fn encode_skipped(skipped: &Skipped) -> pb::SkippedTurn {
    let Skipped {
        turn,
        line,
        speaker,
        reason,
        excerpt,
    } = skipped;
    pb::SkippedTurn {
        turn: *turn as u32,
        line: *line as u32,
        speaker: speaker.clone(),
        reason: listed::number(*reason),
        excerpt: excerpt.clone(),
    }
}

fn encode_remarks(remarks: &Remarks) -> Vec<pb::TranscriptRemark> {
    let one = |remark: &Remark| {
        let Remark {
            line,
            last_line,
            reason,
            excerpt,
        } = remark;
        pb::TranscriptRemark {
            line: *line as u32,
            last_line: *last_line as u32,
            reason: (*reason).into(),
            excerpt: excerpt.clone(),
        }
    };
    remarks.listed().iter().map(one).collect()
}
