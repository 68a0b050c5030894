//! Exports of CRMs, imported by the command as people run it.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::Service;
use crate::cli::ask;
use crate::cli::verbatim;

/// A directory with the files of an export.
fn export(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn path(directory: &TempDir, file: &str) -> String {
    let path: PathBuf = directory.path().join(file);
    path.to_str().unwrap().to_owned()
}

fn import(arguments: &[&str]) -> Output {
    let mut all = vec!["import"];
    all.extend(arguments);
    verbatim(&all).output().unwrap()
}

fn told(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    format!("{out}{err}")
}

#[track_caller]
fn imported(service: &Service, arguments: &[&str]) -> String {
    let mut all = arguments.to_vec();
    all.extend(["--server", &service.url]);
    let output = import(&all);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    told(&output)
}

/// The history of a deal: what happened, from when on.
fn history(service: &Service, deal: &str) -> Vec<(String, Value)> {
    let history = ask(service, &["history", deal]);
    let events = history["events"].as_array().unwrap().iter();
    events
        .map(|event| {
            let at = event["effectiveAt"].as_str().unwrap()[..10].to_owned();
            (at, event.clone())
        })
        .collect()
}

const OPPORTUNITY: &str = "\
\"Id\",\"IsDeleted\",\"AccountId\",\"Name\",\"StageName\",\"Amount\",\"CloseDate\",\"IsClosed\",\"IsWon\",\"OwnerId\",\"CreatedDate\",\"LastModifiedDate\",\"LastStageChangeDate\",\"Loss_Reason__c\"
\"006000000000001AAA\",\"0\",\"001000000000001AAA\",\"New rota, phase 1\",\"Proposal/Price Quote\",\"48000\",\"2026-06-30 00:00:00\",\"0\",\"0\",\"005000000000001AAA\",\"2026-01-10 09:00:00\",\"2026-04-02 08:00:00\",\"\",\"\"
\"006000000000002AAA\",\"0\",\"001000000000001AAA\",\"Gone\",\"Closed Lost\",\"9000\",\"2026-03-31 00:00:00\",\"1\",\"0\",\"005000000000001AAA\",\"2026-01-11 09:00:00\",\"2026-03-31 10:00:00\",\"2026-03-30 10:00:00\",\"Chose a competitor\"
\"006000000000003AAA\",\"1\",\"001000000000001AAA\",\"Deleted\",\"Qualification\",\"1\",\"2026-03-31 00:00:00\",\"0\",\"0\",\"\",\"2026-01-11 09:00:00\",\"2026-01-11 09:00:00\",\"\",\"\"
";

const HISTORY: &str = "\
\"Id\",\"OpportunityId\",\"CreatedDate\",\"StageName\",\"Amount\",\"CloseDate\",\"IsDeleted\"
\"008000000000001AAA\",\"006000000000001AAA\",\"2026-01-10 09:00:00\",\"Qualification\",\"40000\",\"2026-03-31 00:00:00\",\"0\"
\"008000000000002AAA\",\"006000000000001AAA\",\"2026-03-20 09:00:00\",\"Proposal/Price Quote\",\"48000\",\"2026-06-30 00:00:00\",\"0\"
\"008000000000003AAA\",\"006000000000009AAA\",\"2026-03-20 09:00:00\",\"Qualification\",\"1\",\"2026-06-30 00:00:00\",\"0\"
";

fn salesforce() -> TempDir {
    export(&[
        ("Opportunity.csv", OPPORTUNITY),
        ("OpportunityHistory.csv", HISTORY),
        (
            "OpportunityContactRole.csv",
            "Id,OpportunityId,ContactId,Role,IsDeleted,CreatedDate\n\
             1,006000000000001AAA,003000000000001AAA,Decision Maker,0,2026-01-12 09:00:00\n\
             2,006000000000001AAA,003000000000001AAA,Economic Buyer,0,2026-02-12 09:00:00\n",
        ),
        (
            "Contact.csv",
            "Id,FirstName,LastName,Title,Email\n003000000000001AAA,Ana,Ruiz,CFO,Ana@acme.example\n",
        ),
        ("Account.csv", "Id,Name\n001000000000001AAA,Acme\n"),
        (
            "User.csv",
            "Id,FirstName,LastName\n005000000000001AAA,Lee,Park\n",
        ),
        (
            "Task.csv",
            "Id,WhatId,WhoId,Description,ActivityDate,TaskSubtype,IsDeleted\n\
             00T1,006000000000001AAA,003000000000001AAA,Says the rota costs them every Monday.,2026-02-03,Call,0\n\
             00T2,006000000000001AAA,,I think they will sign in June.,2026-02-04,Task,0\n\
             00T3,006000000000001AAA,003000000000001AAA,,2026-02-04,Call,0\n\
             00T4,006000000000001AAA,003000000000001AAA,Call again,2199-02-04,Call,0\n",
        ),
        (
            "EmailMessage.csv",
            "Id,RelatedToId,FromAddress,Incoming,TextBody,MessageDate,IsDeleted\n\
             02s1,006000000000001AAA,ana@acme.example,1,\"We must have this by September.\n\nOn Thu, 5 Feb 2026 at 09:00, Lee Park wrote:\n> Shall we wait?\",2026-02-05 10:00:00,0\n\
             02s2,006000000000001AAA,lee@seller.example,0,Shall we?,2026-02-05 11:00:00,0\n",
        ),
        ("Lead.csv", "Id,Name\n1,nobody\n"),
    ])
}

#[test]
fn a_salesforce_export_becomes_deals_people_and_what_they_said_each_from_its_own_day_on() {
    let service = Service::start();
    let directory = salesforce();
    let directory = directory.path().to_str().unwrap();
    let text = imported(&service, &["salesforce", directory, "--currency", "USD"]);
    assert!(
        text.contains("Opportunity.csv: 3 rows, 2 taken, 1 skipped (deleted)"),
        "{text}"
    );
    assert!(text.contains("Task.csv: 4 rows, 2 taken"), "{text}");
    assert!(text.contains("1 skipped (planned only)"), "{text}");
    assert!(text.contains("1 skipped (written by the seller)"), "{text}");
    assert!(!text.contains("Lead"), "{text}");

    let deal = ask(&service, &["deal", "show", "006000000000001AAA"]);
    assert_eq!(deal["deal"]["account"], "Acme");
    assert_eq!(deal["deal"]["owner"], "Lee Park");
    assert_eq!(deal["deal"]["sellerStage"], "Proposal/Price Quote");
    assert_eq!(deal["deal"]["amount"]["units"], "48000");
    assert_eq!(deal["stakeholders"][0]["displayName"], "Ana Ruiz");
    assert_eq!(
        deal["stakeholders"][0]["roles"],
        serde_json::json!(["BUYING_ROLE_ECONOMIC_BUYER", "BUYING_ROLE_DECISION_MAKER"])
    );

    let events = history(&service, "006000000000001AAA");
    let stages: Vec<(&str, &str)> = events
        .iter()
        .filter_map(|(at, event)| Some((at.as_str(), event["deal"]["sellerStage"].as_str()?)))
        .collect();
    assert!(
        stages.contains(&("2026-01-10", "Qualification")),
        "{stages:?}"
    );
    assert!(
        stages.contains(&("2026-03-20", "Proposal/Price Quote")),
        "{stages:?}"
    );
    let said: Vec<(&str, &str)> = events
        .iter()
        .filter_map(|(at, event)| Some((at.as_str(), event["statement"]["attribution"].as_str()?)))
        .collect();
    assert_eq!(
        said,
        [
            ("2026-02-03", "ATTRIBUTION_PARAPHRASED"),
            ("2026-02-04", "ATTRIBUTION_INFERRED"),
            ("2026-02-05", "ATTRIBUTION_VERBATIM"),
        ]
    );
    let wrote = events.iter().find(|(at, _)| at == "2026-02-05");
    let (_, wrote) = wrote.unwrap();
    assert_eq!(
        wrote["statement"]["quote"],
        "We must have this by September."
    );

    let lost = history(&service, "006000000000002AAA");
    let (at, outcome) = lost
        .iter()
        .find(|(_, event)| event["outcome"].is_object())
        .unwrap();
    assert_eq!(at, "2026-03-30");
    assert_eq!(outcome["outcome"]["outcome"], "OUTCOME_LOST_TO_COMPETITOR");
}

#[test]
fn importing_again_changes_nothing() {
    let service = Service::start();
    let directory = salesforce();
    let directory = directory.path().to_str().unwrap();
    let deals = ["006000000000001AAA", "006000000000002AAA"];
    let mut before = Vec::new();
    for round in 0..2 {
        imported(&service, &["salesforce", directory, "--currency", "USD"]);
        let revisions: Vec<usize> = deals.map(|deal| history(&service, deal).len()).to_vec();
        if round == 0 {
            before = revisions;
        } else {
            assert_eq!(revisions, before);
        }
    }
}

#[test]
fn a_dry_run_reports_and_sends_nothing() {
    let directory = salesforce();
    let directory = directory.path().to_str().unwrap();
    // No service is there to be asked.
    let output = import(&["salesforce", directory, "--currency", "USD", "--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(
        told(&output).contains("nothing was sent"),
        "{}",
        told(&output)
    );
}

#[test]
fn hubspot_exports_become_deals_with_the_days_of_their_stages() {
    let service = Service::start();
    let directory = export(&[
        (
            "deals.csv",
            "Record ID,Deal Name,Deal Stage,Close Date,Create Date,Amount,Currency,Deal owner,Associated Company,\"Date entered \"\"Appointment Scheduled (Sales Pipeline)\"\"\",\"Date entered \"\"Contract Sent (Sales Pipeline)\"\"\"\n\
             71,Cold store,Contract Sent,2026-09-30 00:00,2026-02-01 10:00,12500,EUR,Kim Vo,Bergfrost,2026-02-01 10:00,2026-04-15 09:30\n",
        ),
        (
            "contacts.csv",
            "Record ID,First Name,Last Name,Job Title,Email,Buying Role,Associated Deal IDs\n\
             501,Piet,Maas,COO,piet@bergfrost.example,Budget holder,71\n\
             502,No,Body,,x@y.example,,99\n",
        ),
        (
            "notes.csv",
            "Record ID,Activity type,Activity date,Note body,Associated Deal IDs,Associated Contact IDs\n\
             9001,Call,2026-03-03 14:00,\"Piet: the old plant fails every summer, it cannot stay.\",71,501\n\
             9002,Email,2026-03-04 14:00,Hello,71,501\n",
        ),
    ]);
    let files = ["deals.csv", "contacts.csv", "notes.csv"].map(|file| path(&directory, file));
    let text = imported(&service, &["hubspot", &files[0], &files[1], &files[2]]);
    assert!(
        text.contains("contacts.csv: 2 rows, 1 taken, 1 skipped"),
        "{text}"
    );

    let events = history(&service, "71");
    let stages: Vec<(&str, &str)> = events
        .iter()
        .filter_map(|(at, event)| Some((at.as_str(), event["deal"]["sellerStage"].as_str()?)))
        .collect();
    assert_eq!(
        stages,
        [
            ("2026-02-01", "Appointment Scheduled"),
            ("2026-04-15", "Contract Sent")
        ]
    );
    let deal = ask(&service, &["deal", "show", "71"]);
    assert_eq!(
        deal["stakeholders"][0]["roles"][0],
        "BUYING_ROLE_ECONOMIC_BUYER"
    );
    assert_eq!(deal["statements"], 1);
}

#[test]
fn any_table_is_taken_by_a_map_of_its_columns() {
    let service = Service::start();
    let directory = export(&[(
        "pipeline.csv",
        "nr;verkäufer;status;beginn;ende;wert\nA1;Ute;Won;20.10.2025;1.3.2026;1.054,00\nA2;Ute;Engaging;5.11.2025;;\n",
    )]);
    let map = "deal_id=nr,owner=verkäufer,seller_stage=status,effective_at=beginn,close_date=ende,amount=wert,outcome=status";
    let file = path(&directory, "pipeline.csv");
    imported(&service, &["csv", &file, "--currency", "EUR", "--map", map]);
    let won = ask(&service, &["deal", "show", "A1"]);
    assert_eq!(won["deal"]["closeDate"], "2026-03-01");
    assert_eq!(won["deal"]["amount"]["units"], "1054");
    assert_eq!(won["outcome"]["outcome"], "OUTCOME_WON");
    let open = ask(&service, &["deal", "show", "A2"]);
    assert!(open["outcome"].is_null(), "{open}");
}

#[test]
fn every_wrong_row_is_named_by_file_line_and_column_and_nothing_is_sent() {
    let directory = export(&[(
        "Opportunity.csv",
        "Id,Name,StageName,Amount,CloseDate,IsClosed,CreatedDate\n\
         1,a,New,many,2026-01-01,0,2026-01-01\n\
         2,b,New,5,soon,perhaps,2026-01-01\n\
         3,c,New,5,,0,\n\
         4,d,New,5,,0,2026-01-01\n\
         4,other,New,5,,0,2026-01-01\n\
         5,e,New\n\
         4,d,New,5,,0,2026-01-01\n",
    )]);
    // No service is there to be asked.
    let file = path(&directory, "Opportunity.csv");
    let output = import(&["salesforce", &file, "--currency", "EUR"]);
    let text = told(&output);
    assert_eq!(output.status.code(), Some(65), "{text}");
    for fault in [
        "Opportunity.csv:2: Amount: must be an amount",
        "Opportunity.csv:3: CloseDate: must be a date",
        "Opportunity.csv:3: IsClosed: must be true or false",
        "Opportunity.csv:4: CreatedDate: must be set",
        "Opportunity.csv:6: Id: `4` is there already, in line 5",
        "Opportunity.csv:7: has 3 cells, the header has 7",
        "7 rows, 1 taken, 1 skipped (there twice), 5 wrong",
        "nothing was sent",
    ] {
        assert!(text.contains(fault), "{fault} in {text}");
    }
}

#[test]
fn good_rows_are_sent_without_the_wrong_ones_when_that_is_asked_for() {
    let service = Service::start();
    let directory = export(&[(
        "Opportunity.csv",
        "Id,Name,CreatedDate\n1,a,2026-01-01\n2,b,31/31/2026\n",
    )]);
    let file = path(&directory, "Opportunity.csv");
    let server = ["--server", &service.url];
    let arguments = [&["salesforce", &file, "--keep-going"][..], &server].concat();
    let output = import(&arguments);
    assert_eq!(output.status.code(), Some(65), "{}", told(&output));
    assert_eq!(ask(&service, &["deal", "show", "1"])["deal"]["name"], "a");
}

#[test]
fn what_the_command_line_lacks_is_named() {
    let directory = export(&[
        ("Opportunity.csv", "Id,Amount,CreatedDate\n1,5,2026-01-01\n"),
        ("dates.csv", "nr,since\n1,3/4/2026\n"),
    ]);
    let check = |arguments: &[&str], exit: i32, expected: &str| {
        let output = import(arguments);
        let text = told(&output);
        assert_eq!(output.status.code(), Some(exit), "{text}");
        assert!(text.contains(expected), "{expected} in {text}");
    };
    let (deals, dates) = (
        path(&directory, "Opportunity.csv"),
        path(&directory, "dates.csv"),
    );
    check(&["salesforce", &deals], 65, "--currency");
    check(&["salesforce", &dates], 65, "there is no Opportunity.csv");
    let map = "deal_id=nr,effective_at=since";
    check(&["csv", &dates, "--map", map], 65, "--dates");
    check(
        &["csv", &dates, "--map", "deal=nr"],
        65,
        "there is no field `deal`",
    );
    check(
        &["csv", &dates, "--map", "deal_id=no"],
        65,
        "must have a column no",
    );
    check(&["csv", "no-such.csv", "--map", map], 64, "cannot be read");
}

const TWO_DEALS: &str = "Id,Name,IsClosed,IsWon,CreatedDate,LastStageChangeDate\n\
    1,a,1,1,2026-01-01,2026-03-01 10:00:00\n\
    2,b,0,0,2026-01-01,\n";

#[test]
fn words_after_a_close_are_skipped_and_hold_up_nothing() {
    let service = Service::start();
    let directory = export(&[
        ("Opportunity.csv", TWO_DEALS),
        (
            "Contact.csv",
            "Id,LastName,Email\nc1,Ruiz,\nc2,Ruiz,ana@acme.example\nc3,Ruiz,ana@acme.example\n",
        ),
        (
            "EmailMessage.csv",
            "Id,RelatedToId,FromAddress,Incoming,TextBody,MessageDate\n\
             e1,1,ana@acme.example,1,We cannot go on.,2026-02-28 10:00:00\n\
             e2,1,ana@acme.example,1,Thanks!,2026-03-02 10:00:00\n\
             e3,2,ana@acme.example,1,We cannot go on.,2026-03-03 10:00:00\n\
             e4,2,,1,Who is this from?,2026-03-04 10:00:00\n",
        ),
    ]);
    let file = directory.path().to_str().unwrap();
    let told = imported(&service, &["salesforce", file]);
    for part in [
        "EmailMessage.csv: 4 rows, 2 taken",
        "1 skipped (said after the deal was closed)",
        "1 skipped (from somebody who is no contact)",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let (_, said) = history(&service, "2").pop().unwrap();
    // Two people have the address: it is always the first.
    assert_eq!(said["statement"]["speaker"]["stakeholderId"], "c2");
}

#[test]
fn a_role_that_was_taken_back_is_not_held() {
    let service = Service::start();
    let directory = export(&[
        ("OPPORTUNITY.CSV", TWO_DEALS),
        (
            "OpportunityContactRole.csv",
            "Id,OpportunityId,ContactId,Role,IsDeleted,CreatedDate\n\
             1,2,c1,Decision Maker,1,2026-01-12\n\
             2,2,c1,Evaluator,0,2026-01-15\n",
        ),
    ]);
    imported(
        &service,
        &["salesforce", directory.path().to_str().unwrap()],
    );
    let deal = ask(&service, &["deal", "show", "2"]);
    let roles = &deal["stakeholders"][0]["roles"];
    assert_eq!(
        roles,
        &serde_json::json!(["BUYING_ROLE_TECHNICAL_EVALUATOR"])
    );
}

#[test]
fn a_file_that_is_there_twice_is_refused_and_not_left_out() {
    let [first, second] = [(); 2].map(|()| export(&[("Opportunity.csv", TWO_DEALS)]));
    let files = [&first, &second].map(|directory| path(directory, "Opportunity.csv"));
    let output = import(&["salesforce", &files[0], &files[1], "--dry-run"]);
    let text = told(&output);
    assert_eq!(output.status.code(), Some(65), "{text}");
    assert!(text.contains("more than one Opportunity.csv"), "{text}");
}

#[test]
fn how_a_deal_of_any_table_ended_is_read_or_named_as_wrong() {
    let service = Service::start();
    let map = "deal_id=Id,outcome=End,closed_at=Day,effective_at=Day";
    let directory = export(&[(
        "deals.csv",
        "Id,End,Day\nA,Lost (competitor won),2026-03-01\nB,DISQUALIFIED,2026-03-01\nC,No decision,2026-03-01\nD,Won,2026-03-01\nE,In progress,2026-03-01\nF,Extended; budget approved,2026-03-01\n",
    )]);
    imported(
        &service,
        &["csv", &path(&directory, "deals.csv"), "--map", map],
    );
    let ended = ["A", "B", "C", "D", "E", "F"].map(|deal| {
        let deal = ask(&service, &["deal", "show", deal]);
        deal["outcome"]["outcome"].as_str().map(str::to_owned)
    });
    let due = [
        Some("OUTCOME_LOST_TO_COMPETITOR"),
        Some("OUTCOME_DISQUALIFIED"),
        Some("OUTCOME_LOST_TO_NO_DECISION"),
        Some("OUTCOME_WON"),
        None,
        None,
    ];
    assert_eq!(ended, due.map(|outcome| outcome.map(str::to_owned)));

    let directory = export(&[("deals.csv", "Id,End,Day\nA,Cancelled,2026-03-01\n")]);
    let output = import(&["csv", &path(&directory, "deals.csv"), "--map", map]);
    let text = told(&output);
    assert!(
        text.contains("deals.csv:2: End: must say won, lost, no decision"),
        "{text}"
    );
}
