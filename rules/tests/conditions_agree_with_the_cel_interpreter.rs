//! Random conditions over random logins: where the `cel` crate's interpreter says true or false, so
//! do we, and where it does not, neither do we.

use std::cell::Cell;
use std::collections::HashMap;

use cel::{Context, Program, Value};
use doorward_rules::{Condition, Field, FieldType, Slot, Slots};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

const BOOLS: [Field; 3] = [
    Field::DeviceManaged,
    Field::TravelComparable,
    Field::AuthRemembered,
];
const INTS: [Field; 3] = [
    Field::UserLogins,
    Field::NetworkAsn,
    Field::CrowdAddressAttempts1h,
];
const FLOATS: [Field; 2] = [Field::TravelSpeedKmh, Field::AddressUserLogins];
const TEXTS: [Field; 3] = [Field::DeviceState, Field::NetworkKind, Field::NetworkCity];
/// How often an operand may hold another expression.
const DEPTH: u32 = 4;
const CASES: u32 = 4_000;

fn field(fields: &'static [Field]) -> impl Strategy<Value = String> {
    prop::sample::select(fields).prop_map(|field| field.name().to_owned())
}

fn int() -> BoxedStrategy<String> {
    let literal = prop_oneof![
        (-4_i64..50).prop_map(|n| n.to_string()),
        Just(i64::MAX.to_string())
    ];
    let leaf = prop_oneof![literal, field(&INTS)];
    leaf.prop_recursive(DEPTH, 12, 2, |inner| {
        prop_oneof![
            (
                inner.clone(),
                prop::sample::select(vec!["+", "-", "*", "/", "%"]),
                inner.clone()
            )
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            inner.prop_map(|operand| format!("-({operand})")),
        ]
    })
    .boxed()
}

/// Without division: CEL lets floating point run to infinity, which is an error to us.
fn float() -> BoxedStrategy<String> {
    let literal = (-40_i32..4_000).prop_map(|n| format!("{:.2}", f64::from(n) / 4.0));
    let leaf = prop_oneof![literal, field(&FLOATS)];
    leaf.prop_recursive(DEPTH, 12, 2, |inner| {
        (inner.clone(), prop::sample::select(vec!["+", "-", "*"]), inner)
            .prop_map(|(left, operator, right)| format!("({left} {operator} {right})"))
    })
    .boxed()
}

fn word(field: Field) -> BoxedStrategy<String> {
    match field.domain() {
        [] => prop::sample::select(vec!["Aarhus", "København", "O'Fallon", ""])
            .prop_map(|w| format!("{w:?}"))
            .boxed(),
        domain => prop::sample::select(domain)
            .prop_map(|w| format!("'{w}'"))
            .boxed(),
    }
}

fn text_test() -> BoxedStrategy<String> {
    prop::sample::select(&TEXTS[..])
        .prop_flat_map(|field| {
            let list = prop::collection::vec(word(field), 1..4).prop_map(|words| words.join(", "));
            prop_oneof![
                (prop::sample::select(vec!["==", "!="]), word(field))
                    .prop_map(move |(operator, word)| format!("{field} {operator} {word}")),
                list.prop_map(move |words| format!("{field} in [{words}]")),
            ]
        })
        .boxed()
}

fn number_test() -> BoxedStrategy<String> {
    let comparison = || prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let list = prop::collection::vec(-4_i64..50, 1..4).prop_map(|numbers| {
        numbers
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    });
    prop_oneof![
        (int(), comparison(), int()).prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
        (float(), comparison(), float())
            .prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
        (int(), list).prop_map(|(value, numbers)| format!("{value} in [{numbers}]")),
    ]
    .boxed()
}

fn condition() -> BoxedStrategy<String> {
    let every = BOOLS
        .iter()
        .chain(&INTS)
        .chain(&FLOATS)
        .chain(&TEXTS)
        .copied()
        .collect::<Vec<_>>();
    let leaf = prop_oneof![
        1 => prop::sample::select(vec!["true", "false"]).prop_map(str::to_owned),
        1 => field(&BOOLS),
        1 => prop::sample::select(every).prop_map(|field| format!("has({field})")),
        4 => number_test(),
        4 => text_test(),
    ];
    leaf.prop_recursive(DEPTH, 24, 2, |inner| {
        prop_oneof![
            1 => inner.clone().prop_map(|operand| format!("!({operand})")),
            4 => (inner.clone(), prop::sample::select(vec!["&&", "||"]), inner.clone())
                .prop_map(|(left, operator, right)| format!("({left}) {operator} ({right})")),
            1 => (inner.clone(), prop::sample::select(vec!["==", "!="]), inner)
                .prop_map(|(left, operator, right)| format!("(({left}) {operator} ({right}))")),
        ]
    })
    .boxed()
}

fn value(field: Field) -> BoxedStrategy<Option<Slot>> {
    let known = match field.field_type() {
        FieldType::Bool => any::<bool>().prop_map(Slot::Bool).boxed(),
        FieldType::Int => prop_oneof![(-3_i64..50).boxed(), Just(i64::MIN).boxed()]
            .prop_map(Slot::Int)
            .boxed(),
        FieldType::Float => (-40_i32..4_000)
            .prop_map(|n| Slot::Float(f64::from(n) / 4.0))
            .boxed(),
        FieldType::Text if field.domain().is_empty() => {
            prop::sample::select(vec!["Aarhus", "København", "x"])
                .prop_map(|word| Slot::Text(doorward_rules::Text::Word(word)))
                .boxed()
        }
        FieldType::Text => prop::sample::select(field.domain())
            .prop_map(|word| Slot::Text(doorward_rules::Text::Word(word)))
            .boxed(),
    };
    prop::option::weighted(0.8, known).boxed()
}

fn login() -> impl Strategy<Value = Slots> {
    let fields: Vec<Field> = BOOLS
        .iter()
        .chain(&INTS)
        .chain(&FLOATS)
        .chain(&TEXTS)
        .copied()
        .collect();
    let values: Vec<_> = fields.iter().map(|field| value(*field)).collect();
    values.prop_map(move |values| {
        let mut slots = Slots::new();
        for (field, value) in fields.iter().zip(values) {
            slots.set(*field, value.unwrap_or_default());
        }
        slots
    })
}

/// Every field below its first name, as nested maps; what has no data is not in them.
fn context(slots: &Slots) -> Context<'static, 'static> {
    let mut roots: HashMap<String, Nested> = HashMap::new();
    for (field, slot) in slots.iter() {
        let (root, rest) = field.name().split_once('.').unwrap_or((field.name(), ""));
        let root = roots.entry(root.to_owned()).or_default();
        root.put(&rest.split('.').collect::<Vec<_>>(), slot);
    }
    let mut context = Context::default();
    for (name, nested) in roots {
        context.add_variable_from_value(name, nested.value());
    }
    context
}

#[derive(Default)]
struct Nested {
    values: HashMap<String, Value>,
    tables: HashMap<String, Nested>,
}

impl Nested {
    fn put(&mut self, path: &[&str], slot: &Slot) {
        match path {
            [name] => {
                let value = match slot {
                    Slot::NoData => return,
                    Slot::Bool(value) => Value::Bool(*value),
                    Slot::Int(value) => Value::Int(*value),
                    Slot::Float(value) => Value::Float(*value),
                    Slot::Text(text) => Value::from(text.as_str()),
                };
                self.values.insert((*name).to_owned(), value);
            }
            [name, rest @ ..] => self.tables.entry((*name).to_owned()).or_default().put(rest, slot),
            [] => {}
        }
    }

    fn value(self) -> Value {
        let mut values = self.values;
        values.extend(
            self.tables
                .into_iter()
                .map(|(name, nested)| (name, nested.value())),
        );
        Value::from(values)
    }
}

/// How often a condition had a value, had none, or was refused for its length.
#[derive(Default)]
struct Seen {
    decided: Cell<u32>,
    undecided: Cell<u32>,
    refused: Cell<u32>,
}

fn count(cell: &Cell<u32>) {
    cell.set(cell.get() + 1);
}

fn same_answer(condition: &str, slots: &Slots, seen: &Seen) -> Result<(), TestCaseError> {
    let ours = match Condition::compile(condition) {
        Ok(ours) => ours,
        Err(refused) => {
            // Only the bound on operators in a row may refuse what the generator writes.
            let message = refused.fault.message;
            prop_assert!(message.starts_with("more than"), "{condition}: {message}");
            count(&seen.refused);
            return Ok(());
        }
    };
    let program =
        Program::compile(condition).map_err(|error| TestCaseError::fail(format!("{condition}: {error}")))?;
    let theirs = match program.execute(&context(slots)) {
        Ok(Value::Bool(value)) => Some(value),
        _ => None,
    };
    count(if theirs.is_some() {
        &seen.decided
    } else {
        &seen.undecided
    });
    prop_assert_eq!(ours.test(slots).ok(), theirs, "{} with {:?}", condition, slots);
    Ok(())
}

#[test]
fn same_answers() {
    let seen = Seen::default();
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(CASES)
    };
    let outcome = TestRunner::new(config).run(&(condition(), login()), |(condition, slots)| {
        same_answer(&condition, &slots, &seen)
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    // The comparison is worth something only if both sides often have a value and often have none.
    assert!(
        seen.decided.get() > CASES / 3,
        "{} with a value",
        seen.decided.get()
    );
    assert!(
        seen.undecided.get() > CASES / 20,
        "{} without",
        seen.undecided.get()
    );
    assert!(seen.refused.get() < CASES / 20, "{} refused", seen.refused.get());
}
