//! What is scored, from what, and how: the words of the domain and all its rules.
//!
//! Pure: values in, values out. No I/O, clock, randomness, async, logging, serde or wire format. A score is a function
//! of a deal's history, the model and a moment.
//!
//! # Glossary
//!
//! - **deal**: a sales opportunity, keyed by the caller's own id.
//! - **stakeholder**: a person on the buyer's side; has buying roles and a presence over time.
//! - **statement**: what one stakeholder said at one moment, with attribution and claims.
//! - **conversation**: a call or an email as it was written down: **turns** of speakers. A buyer's turn becomes a statement,
//!   the seller's turn before it the statement's context.
//! - **attribution**: whose words these are; an *inferred* statement is a **hypothesis** and worth nothing.
//! - **claim**: one thing a statement asserts: topic, stance, conviction, confidence, details.
//! - **confirmation**: a person's judgement of what a statement claims; it takes the place of the claims it had.
//! - **topic**: nine **criteria** earn points, three **signals** only take away.
//! - **strength**: how much one claim counts, 0 to 1. **Support** and **opposition** are what people's strengths come
//!   to; **level** is what a criterion reaches by them.
//! - **standing**: the weight of a person by their best role; **freshness**: what age leaves of a claim.
//! - **void**: a support is void once the same person opposes the topic; an opposition once they support it again.
//! - **rung**: supports of one conviction and attribution; of each rung only the latest counts.
//! - **strand**: what one person said on one topic, on one side of it, at one firmness; a **track** is their strands on
//!   one topic, a **position** where that puts them at a moment.
//! - **base**: the sum of points; **modifiers** multiply it; **gates** cap it; the result is the **score**.
//! - **impairment**: why a criterion's points are lost; a **cell** is one loss; a **cause** gathers cells.
//! - **ledger**: a score, or a difference of two, line by line: nine criteria, six modifiers, the cap.
//! - **seen**: a deal as of one moment, of what was known at one; a **walk** goes through a history from one to another,
//!   and a **change** is one thing on the way that moved the score, with the points by which it did.
//! - **trend**: the points of the score over time.
//! - **effective time**: when something was said or came true; **recorded time**: when the service learned it.
//! - **buyer's step**: how far the buyer has come in buying, 0 to 7; the seller's stage **presumes** one.
//! - **portfolio**: all deals of a tenant as they stand at a moment, a **row** each: the seller's facts and the
//!   **verdict** that the buyer's words come to. A deal's **outline** is as much of it as a row takes.
//! - **happy-ears gap**: what the seller's stages promise less what the evidence stands for, as amounts.
//! - **progress**: something new from the buyer: a first or firmer support, a later step, a milestone done.

pub mod amendment;
pub mod contradiction;
pub mod deal;
pub mod decide;
pub mod difference;
pub mod event;
pub mod evidence;
pub mod facts;
pub mod ledger;
pub mod loss;
pub mod model;
pub mod moment;
pub mod money;
pub mod person;
pub mod phrase;
pub mod portfolio;
pub mod scale;
pub mod score;
pub mod stage;
pub mod stakeholder;
pub mod stall;
pub mod state;
pub mod statement;
pub mod strand;
pub mod strength;
pub mod tactic;
pub mod text;
pub mod time;
pub mod timeline;
pub mod topic;
pub mod trend;
pub mod walk;
pub mod words;
