//! Turns a checked condition into closures over slots.
//!
//! Building them allocates; running them does not: values are read in place, lists are searched
//! in place, and nothing is formatted.

use std::fmt;

use crate::check::{check, widened};
use crate::evaluate::{Answer, Unknown, and, both, or};
use crate::expression::{Arithmetic, BoolExpr, Comparison, FloatExpr, IntExpr, TextExpr};
use crate::parser::{Placed, parse};
use crate::schema::Field;
use crate::slots::{Slot, Slots};

type Closure<T> = Box<dyn Fn(&Slots) -> Answer<T> + Send + Sync>;

/// A condition, ready to run.
pub struct Condition {
    source: String,
    fields: Vec<Field>,
    test: Closure<bool>,
}

impl Condition {
    /// Parses, checks and compiles the text of a condition.
    ///
    /// # Errors
    /// The first fault, placed in the text.
    pub fn compile(source: &str) -> Result<Self, Placed> {
        let (expression, fields) = check(&parse(source)?)?;
        Ok(Condition {
            source: source.to_owned(),
            fields,
            test: truth(expression),
        })
    }

    /// Whether it holds for these values. Does not allocate.
    ///
    /// # Errors
    /// Why it is neither true nor false.
    #[inline]
    pub fn test(&self, slots: &Slots) -> Answer<bool> {
        (self.test)(slots)
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The fields it reads, each once, in order of appearance.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.source).finish()
    }
}

fn truth(expression: BoolExpr) -> Closure<bool> {
    match expression {
        BoolExpr::Literal(value) => Box::new(move |_| Ok(value)),
        BoolExpr::Field(field) => Box::new(move |slots| read_bool(slots, field)),
        BoolExpr::Has(field) => Box::new(move |slots| Ok(slots.get(field).has_data())),
        BoolExpr::Not(inner) => {
            let inner = truth(*inner);
            Box::new(move |slots| inner(slots).map(|value| !value))
        }
        BoolExpr::And(left, right) => {
            let (left, right) = (truth(*left), truth(*right));
            Box::new(move |slots| and(left(slots), || right(slots)))
        }
        BoolExpr::Or(left, right) => {
            let (left, right) = (truth(*left), truth(*right));
            Box::new(move |slots| or(left(slots), || right(slots)))
        }
        BoolExpr::CompareBool(comparison, left, right) => compare(comparison, truth(*left), truth(*right)),
        BoolExpr::CompareInt(comparison, IntExpr::Field(field), IntExpr::Literal(bound)) => {
            Box::new(move |slots| Ok(holds(comparison, &read_int(slots, field)?, &bound)))
        }
        BoolExpr::CompareInt(comparison, left, right) => compare(comparison, int(left), int(right)),
        BoolExpr::CompareFloat(comparison, FloatExpr::Field(field), right) => match right {
            FloatExpr::Literal(bound) => compare_with_bound(comparison, field, bound),
            FloatExpr::Widened(IntExpr::Literal(bound)) => {
                compare_with_bound(comparison, field, widened(bound))
            }
            right => compare(comparison, float(FloatExpr::Field(field)), float(right)),
        },
        BoolExpr::CompareFloat(comparison, left, right) => compare(comparison, float(left), float(right)),
        BoolExpr::CompareText(comparison, TextExpr::Field(field), TextExpr::Literal(word)) => {
            // There is no order of texts: a comparison is for equality, or against it.
            let wanted = comparison == Comparison::Equal;
            Box::new(move |slots| Ok((*text_of(slots, field)? == *word) == wanted))
        }
        BoolExpr::CompareText(comparison, left, right) => compare_text(comparison, left, right),
        BoolExpr::InInts(value, mut list) => {
            list.sort_unstable();
            let value = int(value);
            Box::new(move |slots| Ok(list.binary_search(&value(slots)?).is_ok()))
        }
        BoolExpr::InFloats(value, list) => {
            let value = float(value);
            Box::new(move |slots| value(slots).map(|value| list.contains(&value)))
        }
        BoolExpr::InTexts(value, mut list) => {
            list.sort_unstable();
            Box::new(move |slots| {
                let value = read_text(slots, &value)?;
                Ok(list.binary_search_by(|listed| (**listed).cmp(value)).is_ok())
            })
        }
    }
}

fn compare<T: PartialOrd + 'static>(
    comparison: Comparison,
    left: Closure<T>,
    right: Closure<T>,
) -> Closure<bool> {
    Box::new(move |slots| {
        let (left, right) = both(left(slots), right(slots))?;
        Ok(holds(comparison, &left, &right))
    })
}

fn compare_with_bound(comparison: Comparison, field: Field, bound: f64) -> Closure<bool> {
    Box::new(move |slots| Ok(holds(comparison, &read_float(slots, field)?, &bound)))
}

fn compare_text(comparison: Comparison, left: TextExpr, right: TextExpr) -> Closure<bool> {
    Box::new(move |slots| {
        let (left, right) = both(read_text(slots, &left), read_text(slots, &right))?;
        Ok(holds(comparison, left, right))
    })
}

#[inline]
fn holds<T: PartialOrd + ?Sized>(comparison: Comparison, left: &T, right: &T) -> bool {
    match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left < right,
        Comparison::LessOrEqual => left <= right,
        Comparison::Greater => left > right,
        Comparison::GreaterOrEqual => left >= right,
    }
}

fn int(expression: IntExpr) -> Closure<i64> {
    match expression {
        IntExpr::Literal(value) => Box::new(move |_| Ok(value)),
        IntExpr::Field(field) => Box::new(move |slots| read_int(slots, field)),
        IntExpr::Negate(inner) => {
            let inner = int(*inner);
            Box::new(move |slots| inner(slots)?.checked_neg().ok_or(Unknown::Error))
        }
        IntExpr::Arithmetic(operator, left, right) => {
            let (left, right) = (int(*left), int(*right));
            Box::new(move |slots| {
                let (left, right) = both(left(slots), right(slots))?;
                calculate_int(operator, left, right).ok_or(Unknown::Error)
            })
        }
    }
}

fn calculate_int(operator: Arithmetic, left: i64, right: i64) -> Option<i64> {
    match operator {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide => left.checked_div(right),
        Arithmetic::Remainder => left.checked_rem(right),
    }
}

fn float(expression: FloatExpr) -> Closure<f64> {
    match expression {
        FloatExpr::Literal(value) => Box::new(move |_| Ok(value)),
        FloatExpr::Field(field) => Box::new(move |slots| read_float(slots, field)),
        FloatExpr::Widened(inner) => {
            let inner = int(inner);
            Box::new(move |slots| inner(slots).map(widened))
        }
        FloatExpr::Negate(inner) => {
            let inner = float(*inner);
            Box::new(move |slots| inner(slots).map(|value| -value))
        }
        FloatExpr::Arithmetic(operator, left, right) => {
            let (left, right) = (float(*left), float(*right));
            Box::new(move |slots| {
                let (left, right) = both(left(slots), right(slots))?;
                finite(calculate_float(operator, left, right))
            })
        }
    }
}

fn calculate_float(operator: Arithmetic, left: f64, right: f64) -> f64 {
    match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => left % right,
    }
}

/// CEL lets floating point run to infinity; a rule that divides by zero is an error to us.
fn finite(value: f64) -> Answer<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Unknown::Error)
    }
}

fn missing<T>(slot: &Slot) -> Answer<T> {
    Err(if slot.has_data() {
        Unknown::Error
    } else {
        Unknown::NoData
    })
}

#[inline]
fn read_bool(slots: &Slots, field: Field) -> Answer<bool> {
    match slots.get(field) {
        Slot::Bool(value) => Ok(*value),
        other => missing(other),
    }
}

#[inline]
fn read_int(slots: &Slots, field: Field) -> Answer<i64> {
    match slots.get(field) {
        Slot::Int(value) => Ok(*value),
        other => missing(other),
    }
}

#[inline]
fn read_float(slots: &Slots, field: Field) -> Answer<f64> {
    match slots.get(field) {
        Slot::Float(value) => Ok(*value),
        other => missing(other),
    }
}

#[inline]
fn read_text<'a>(slots: &'a Slots, text: &'a TextExpr) -> Answer<&'a str> {
    match text {
        TextExpr::Literal(value) => Ok(value),
        TextExpr::Field(field) => text_of(slots, *field),
    }
}

#[inline]
fn text_of(slots: &Slots, field: Field) -> Answer<&str> {
    match slots.get(field) {
        Slot::Text(value) => Ok(value.as_str()),
        other => missing(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some_slots() -> Slots {
        let mut slots = Slots::new();
        slots.set_text(Field::DeviceState, "new");
        slots.set_owned(Field::NetworkCity, "Aarhus");
        slots.set_int(Field::UserLogins, 40);
        slots.set_int(Field::NetworkAsn, 0);
        slots.set_float(Field::TravelSpeedKmh, 900.5);
        slots.set_bool(Field::TravelComparable, true);
        slots
    }

    fn outcome(text: &str) -> Answer<bool> {
        Condition::compile(text).ok().unwrap().test(&some_slots())
    }

    #[test]
    fn true_conditions() {
        for text in [
            "device.state == 'new' && network.city != 'Odense'",
            "device.state in ['known', 'new', 'conflict']",
            "user.logins * 2 - 10 == 70 && user.logins % 7 == 5 && -user.logins / 3 == -13",
            "user.logins in [39, 40] && user.logins in [40.0, 1.5] && travel.speed_kmh in [-1, 900.5]",
            "travel.speed_kmh > user.logins && travel.speed_kmh >= 900.5 && user.logins < 40.5",
            "travel.speed_kmh / 2 < 451 && -travel.speed_kmh + 1.0 <= 0",
            "travel.comparable && travel.comparable == true && !(travel.comparable != true)",
            "has(user.logins) && !has(auth.usual)",
            "true || auth.usual > 1",
            "auth.usual > 1 || true",
            "!(auth.usual > 1 && false)",
            "1 / network.asn == 1 || user.logins > 0",
        ] {
            assert_eq!(outcome(text), Ok(true), "{text}");
        }
    }

    #[test]
    fn missing_data_is_told_from_error_and_wins() {
        let no_data = Err(Unknown::NoData);
        let error = Err(Unknown::Error);
        for (text, expected) in [
            ("auth.usual > 1", no_data),
            ("auth.usual in [1, 2]", no_data),
            ("!(network.kind == 'vpn')", no_data),
            ("auth.usual + user.logins > 1 && true", no_data),
            ("user.logins / network.asn > 1", error),
            ("user.logins % network.asn > 1", error),
            ("travel.speed_kmh / network.asn > 1.0", error),
            ("user.logins + 9223372036854775807 > 0", error),
            ("-(-9223372036854775807 - 1) > 0", error),
            ("1 / network.asn == 1 && auth.usual == 1", no_data),
            ("auth.usual == 1 || 1 / network.asn == 1", no_data),
            ("1 / network.asn + auth.usual == 1", no_data),
        ] {
            assert_eq!(outcome(text), expected, "{text}");
        }
    }
}
