//! The words by which a tactic is recognised.

use crate::domain::tactic::Tactic;

/// Groups of words: one of each group, all within a few words of each other. A trailing `*` matches any ending.
pub type Sign = &'static [&'static [&'static str]];

const OFFER: &[&str] = &[
    "offer*",
    "discount*",
    "quote*",
    "price*",
    "pricing",
    "promo*",
    "deal",
    "terms",
    "proposal*",
    "rebate*",
    "incentive*",
    "%",
];
const ENDING: &[&str] = &[
    "expire*",
    "expiring",
    "ends",
    "ending",
    "valid",
    "until",
    "till",
    "deadline*",
    "runs",
    "only",
    "lapses",
    "gone",
    "by",
    "before",
];
const WHEN: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "week*",
    "month*",
    "quarter*",
    "year*",
    "tomorrow",
    "today",
    "tonight",
    "eom",
    "eoq",
    "q1",
    "q2",
    "q3",
    "q4",
    "day*",
    "midnight",
    "weekend",
];
const FEW: &[&str] = &[
    "only",
    "last",
    "few",
    "two",
    "three",
    "one",
    "limited",
    "remaining",
    "final",
];
const PLACES: &[&str] = &[
    "slot*",
    "seat*",
    "place*",
    "spot*",
    "licence*",
    "license*",
    "capacity",
    "availability",
    "stock",
    "onboarding",
    "units",
];
const LEFT: &[&str] = &[
    "left",
    "remain*",
    "filling",
    "taken",
    "available",
    "limited",
    "scarce",
    "short",
    "out",
];
const PRICE: &[&str] = &[
    "price*",
    "pricing",
    "rate*",
    "cost*",
    "fee*",
    "tariff*",
    "discount*",
];
const RISING: &[&str] = &[
    "increase*",
    "rise*",
    "rising",
    "raise*",
    "raising",
    "up",
    "higher",
    "hike*",
    "climb*",
];
const SMALL: &[&str] = &[
    "small*", "mini", "starter", "tiny", "cheap*", "entry", "free", "low-cost", "limited",
    "little", "paid", "trial", "pilot",
];
const ORDER: &[&str] = &[
    "order*",
    "contract*",
    "package*",
    "deal",
    "licence*",
    "license*",
    "purchase*",
    "pilot*",
    "poc",
    "commitment",
    "module*",
    "subscription*",
    "seats",
    "sign*",
];
const CLOSING: &[&str] = &["close", "closing", "shut"];
const FILE: &[&str] = &["file", "opportunity", "case", "project", "account", "books"];
const LAST: &[&str] = &["last", "final"];
const CONTACT: &[&str] = &[
    "email", "mail", "call", "attempt", "message", "chance", "reminder", "touch", "note",
];
const PULLING: &[&str] = &["withdraw*", "pull*", "rescind*", "retract*"];

/// The signs of each tactic, the most telling first.
pub const SIGNS: &[(Tactic, Sign)] = &[
    (Tactic::PriceIncreaseThreat, &[PRICE, RISING]),
    (
        Tactic::PriceIncreaseThreat,
        &[
            &["lock*", "secure"],
            &["current", "today's", "this", "old", "year's"],
            PRICE,
        ],
    ),
    (Tactic::WalkAwayBluff, &[&["walk*"], &["away"]]),
    (
        Tactic::WalkAwayBluff,
        &[
            &["break-up", "breakup", "goodbye", "farewell"],
            &["email", "mail", "message", "call", "note"],
        ],
    ),
    (Tactic::WalkAwayBluff, &[CLOSING, FILE]),
    (Tactic::WalkAwayBluff, &[LAST, CONTACT]),
    (Tactic::WalkAwayBluff, &[PULLING, OFFER]),
    (Tactic::WalkAwayBluff, &[&["take"], &["leave"]]),
    (
        Tactic::WalkAwayBluff,
        &[
            &["move", "moving"],
            &["on"],
            &["other", "others", "another", "else"],
        ],
    ),
    (Tactic::LimitedQuantity, &[FEW, PLACES]),
    (Tactic::LimitedQuantity, &[PLACES, LEFT]),
    (
        Tactic::LimitedQuantity,
        &[&["running", "run", "sell", "selling", "sold"], &["out"]],
    ),
    (Tactic::LimitedQuantity, &[&["waiting", "wait"], &["list"]]),
    (Tactic::ExpiringOffer, &[OFFER, ENDING, WHEN]),
    (
        Tactic::ExpiringOffer,
        &[OFFER, &["expire*", "expiring", "deadline*", "lapses"]],
    ),
    (
        Tactic::ExpiringOffer,
        &[&[
            "limited-time",
            "one-time",
            "last-minute",
            "end-of-quarter",
            "end-of-year",
            "year-end",
            "quarter-end",
            "time-limited",
        ]],
    ),
    (
        Tactic::ExpiringOffer,
        &[
            &["special", "extra", "additional"],
            &["discount*", "rebate*", "price*", "offer*", "%"],
            &["if"],
        ],
    ),
    (
        Tactic::ExpiringOffer,
        &[
            &["sign*", "order*", "buy*", "commit*", "decide*"],
            &["by", "before", "this", "until"],
            &["discount*", "rebate*", "%", "bonus", "free"],
        ],
    ),
    (Tactic::FootInTheDoor, &[&["foot"], &["door"]]),
    (
        Tactic::FootInTheDoor,
        &[&["start*", "begin*"], &["small", "little"]],
    ),
    (Tactic::FootInTheDoor, &[&["land"], &["expand"]]),
    (Tactic::FootInTheDoor, &[SMALL, ORDER]),
];
