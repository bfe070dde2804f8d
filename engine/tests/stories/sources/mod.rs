//! The stories: what happens, told as the events that applications would send. What must come of it stands in the
//! file `.expected.toml` beside each; nothing here knows of it.

mod cafe_poisoning;
mod deployment_day;
mod dirt;
mod flood;
mod holiday;
mod new_phone;
mod next_door;
mod ordinary_churn;
mod owner;
mod passers_by;
mod script;
mod spray;
mod stolen_phone;
mod walks_away;

/// Every story: the name of its file without `.ndjson`, and the bytes of it.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("answers-and-dirt", dirt::tell().into_bytes()),
        ("cafe-poisoning", cafe_poisoning::tell().into_bytes()),
        ("deployment-day", deployment_day::tell().into_bytes()),
        ("holiday-with-own-laptop", holiday::tell().into_bytes()),
        ("new-phone-after-a-break", new_phone::tell().into_bytes()),
        ("ordinary-churn", ordinary_churn::tell().into_bytes()),
        ("phone-stolen-abroad", stolen_phone::tell().into_bytes()),
        ("right-password-walks-away", walks_away::tell().into_bytes()),
        ("spray-one-hit", spray::tell().into_bytes()),
        ("stolen-password-next-door", next_door::tell().into_bytes()),
        ("wrong-password-then-flood", flood::tell().into_bytes()),
    ]
}

/// What applications logged before a story began: read in with `run --backfill`. By the name of the story.
pub fn old_logs() -> Vec<(&'static str, Vec<u8>)> {
    vec![("deployment-day", deployment_day::old_logs().into_bytes())]
}
