//! Checks a parsed condition against the declared fields and gives every part a type.
//!
//! Whole numbers and floating point numbers may meet: the whole one is widened to 64 bit floating
//! point. That is the one rule CEL does not have; everything else is refused that CEL refuses, and
//! so is every construct that is not listed in [`crate::parser::SUPPORTED`].

use std::ops::Range;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

use crate::diagnostic::Fault;
use crate::expression::{Arithmetic, BoolExpr, Comparison, FloatExpr, IntExpr, TextExpr};
use crate::field_faults::{domain_fault, named_field};
use crate::parser::{Parsed, Placed, SUPPORTED};
use crate::schema::{Field, FieldType};

pub(crate) enum Typed {
    Bool(BoolExpr),
    Int(IntExpr),
    Float(FloatExpr),
    Text(TextExpr),
}

impl Typed {
    pub(crate) fn field_type(&self) -> FieldType {
        match self {
            Typed::Bool(_) => FieldType::Bool,
            Typed::Int(_) => FieldType::Int,
            Typed::Float(_) => FieldType::Float,
            Typed::Text(_) => FieldType::Text,
        }
    }
}

/// Checks a whole condition. Also gives the fields it reads, each once, in order of appearance.
///
/// # Errors
/// The first fault, placed in the text of the condition.
pub fn check(parsed: &Parsed) -> Result<(BoolExpr, Vec<Field>), Placed> {
    let mut checker = Checker {
        parsed,
        fields: Vec::new(),
    };
    let condition = checker.truth(&parsed.expression)?;
    Ok((condition, checker.fields))
}

pub(crate) struct Checker<'a> {
    parsed: &'a Parsed,
    fields: Vec<Field>,
}

impl Checker<'_> {
    pub(crate) fn at(&self, expression: &IdedExpr, fault: Fault) -> Placed {
        Placed::new(self.range(expression), fault)
    }

    fn range(&self, expression: &IdedExpr) -> Range<usize> {
        match dotted_name(expression) {
            Some(name) => self.parsed.name_range(expression, &name),
            None => self.parsed.token(expression),
        }
    }

    fn truth(&mut self, expression: &IdedExpr) -> Result<BoolExpr, Placed> {
        match self.typed(expression)? {
            Typed::Bool(truth) => Ok(truth),
            other => {
                let fault = Fault::new(format!(
                    "this is of type {}, where true or false is needed",
                    other.field_type()
                ));
                Err(self.at(
                    expression,
                    fault.help("compare it with something, for example `> 3`"),
                ))
            }
        }
    }

    pub(crate) fn typed(&mut self, expression: &IdedExpr) -> Result<Typed, Placed> {
        match &expression.expr {
            Expr::Literal(literal) => self.literal(expression, literal),
            Expr::Ident(_) => self.field(expression).map(read),
            Expr::Select(select) if select.test => {
                let mut untested = select.clone();
                untested.test = false;
                let named = IdedExpr {
                    id: expression.id,
                    expr: Expr::Select(untested),
                };
                Ok(Typed::Bool(BoolExpr::Has(self.field(&named)?)))
            }
            Expr::Select(_) => self.field(expression).map(read),
            Expr::Call(call) => self.call(expression, call),
            Expr::List(_) => {
                let fault = Fault::new("a list has no meaning here");
                Err(self.at(
                    expression,
                    fault.help("lists stand after `in`: `network.kind in [\"vpn\", \"tor\"]`"),
                ))
            }
            Expr::Comprehension(_) => {
                Err(self.unsupported(expression, "`all`, `exists`, `map` and `filter` are"))
            }
            Expr::Map(_) | Expr::Struct(_) => Err(self.unsupported(expression, "maps and messages are")),
            Expr::Unspecified => Err(self.unsupported(expression, "this is")),
        }
    }

    fn unsupported(&self, expression: &IdedExpr, what: &str) -> Placed {
        self.at(
            expression,
            Fault::new(format!("{what} not supported")).help(SUPPORTED),
        )
    }

    fn literal(&self, expression: &IdedExpr, literal: &LiteralValue) -> Result<Typed, Placed> {
        match literal {
            LiteralValue::Boolean(value) => Ok(Typed::Bool(BoolExpr::Literal(*value.inner()))),
            LiteralValue::Int(value) => Ok(Typed::Int(IntExpr::Literal(*value.inner()))),
            LiteralValue::Double(value) => Ok(Typed::Float(FloatExpr::Literal(*value.inner()))),
            LiteralValue::String(value) => Ok(Typed::Text(TextExpr::Literal(value.inner().into()))),
            LiteralValue::UInt(_) => {
                let fault = Fault::new("unsigned numbers are not supported");
                Err(self.at(expression, fault.help("write the number without the `u`")))
            }
            LiteralValue::Bytes(_) => Err(self.unsupported(expression, "bytes are")),
            LiteralValue::Null => Err(self.unsupported(expression, "`null` is")),
        }
    }

    fn field(&mut self, expression: &IdedExpr) -> Result<Field, Placed> {
        let Some(name) = dotted_name(expression) else {
            return Err(self.unsupported(expression, "taking a part of a value is"));
        };
        let field = named_field(&name).map_err(|fault| {
            let fault = match &fault.help {
                // Most single words that are no field are a text whose quotes were forgotten.
                Some(help) if !name.contains('.') && !help.starts_with("did you mean") => {
                    fault.help(format!("if it is a text, put it in quotes: \"{name}\""))
                }
                _ => fault,
            };
            self.at(expression, fault)
        })?;
        if !self.fields.contains(&field) {
            self.fields.push(field);
        }
        Ok(field)
    }

    fn call(&mut self, expression: &IdedExpr, call: &CallExpr) -> Result<Typed, Placed> {
        let operator = call.func_name.as_str();
        match (&call.target, call.args.as_slice()) {
            (None, [left, right]) => match operator {
                operators::LOGICAL_AND | operators::LOGICAL_OR => self.logic(operator, left, right),
                operators::IN => self.member(expression, left, right),
                _ => match (Comparison::of(operator), Arithmetic::of(operator)) {
                    (Some(comparison), _) => self.compare(expression, comparison, left, right),
                    (_, Some(arithmetic)) => self.calculate(expression, arithmetic, left, right),
                    _ => Err(self.unknown_function(expression, operator)),
                },
            },
            (None, [operand]) if operator == operators::LOGICAL_NOT => {
                Ok(Typed::Bool(BoolExpr::Not(Box::new(self.truth(operand)?))))
            }
            (None, [operand]) if operator == operators::NEGATE => self.negate(expression, operand),
            _ => Err(self.unknown_function(expression, operator)),
        }
    }

    fn unknown_function(&self, expression: &IdedExpr, name: &str) -> Placed {
        let message = match name {
            operators::INDEX => "indexing with `[..]` is not supported".to_owned(),
            operators::CONDITIONAL => "the conditional operator is not supported".to_owned(),
            operators::HAS => "`has(..)` takes the name of one field".to_owned(),
            _ => format!("the function `{name}` is not supported"),
        };
        self.at(expression, Fault::new(message).help(SUPPORTED))
    }

    fn logic(&mut self, operator: &str, left: &IdedExpr, right: &IdedExpr) -> Result<Typed, Placed> {
        let left = Box::new(self.truth(left)?);
        let right = Box::new(self.truth(right)?);
        Ok(Typed::Bool(if operator == operators::LOGICAL_AND {
            BoolExpr::And(left, right)
        } else {
            BoolExpr::Or(left, right)
        }))
    }

    fn negate(&mut self, expression: &IdedExpr, operand: &IdedExpr) -> Result<Typed, Placed> {
        match self.typed(operand)? {
            Typed::Int(value) => Ok(Typed::Int(IntExpr::Negate(Box::new(value)))),
            Typed::Float(value) => Ok(Typed::Float(FloatExpr::Negate(Box::new(value)))),
            other => {
                let message = format!("`-` needs a number, this is of type {}", other.field_type());
                Err(self.at(expression, Fault::new(message)))
            }
        }
    }

    fn calculate(
        &mut self,
        expression: &IdedExpr,
        operator: Arithmetic,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Result<Typed, Placed> {
        match (self.typed(left)?, self.typed(right)?) {
            (Typed::Int(left), Typed::Int(right)) => Ok(Typed::Int(IntExpr::Arithmetic(
                operator,
                Box::new(left),
                Box::new(right),
            ))),
            (left, right) => match (widen(left), widen(right)) {
                (Ok(_), Ok(_)) if operator == Arithmetic::Remainder => {
                    Err(self.at(expression, Fault::new("`%` needs two whole numbers")))
                }
                (Ok(left), Ok(right)) => Ok(Typed::Float(FloatExpr::Arithmetic(
                    operator,
                    Box::new(left),
                    Box::new(right),
                ))),
                (Err(found), _) | (_, Err(found)) => {
                    let message = format!("arithmetic needs numbers, one side is of type {found}");
                    Err(self.at(expression, Fault::new(message)))
                }
            },
        }
    }

    fn compare(
        &mut self,
        expression: &IdedExpr,
        comparison: Comparison,
        left_side: &IdedExpr,
        right_side: &IdedExpr,
    ) -> Result<Typed, Placed> {
        let (left, right) = (self.typed(left_side)?, self.typed(right_side)?);
        let types = (left.field_type(), right.field_type());
        let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let compared = match (left, right) {
            (Typed::Int(left), Typed::Int(right)) => BoolExpr::CompareInt(comparison, left, right),
            (Typed::Bool(left), Typed::Bool(right)) if equality => {
                BoolExpr::CompareBool(comparison, Box::new(left), Box::new(right))
            }
            (Typed::Text(left), Typed::Text(right)) if equality => {
                self.check_domain(&left, &right, right_side)?;
                self.check_domain(&right, &left, left_side)?;
                BoolExpr::CompareText(comparison, left, right)
            }
            (left, right) => match (widen(left), widen(right)) {
                (Ok(left), Ok(right)) => BoolExpr::CompareFloat(comparison, left, right),
                _ => return Err(self.mismatch(expression, types)),
            },
        };
        Ok(Typed::Bool(compared))
    }

    fn mismatch(&self, expression: &IdedExpr, (left, right): (FieldType, FieldType)) -> Placed {
        let fault = if left == right {
            Fault::new(format!("two values of type {left} have no order"))
                .help("compare them with `==` or `!=`")
        } else {
            Fault::new(format!("{left} cannot be compared with {right}"))
        };
        self.at(expression, fault)
    }

    /// Refuses a literal that an enumerated field can never equal.
    pub(crate) fn check_domain(
        &self,
        field: &TextExpr,
        literal: &TextExpr,
        at: &IdedExpr,
    ) -> Result<(), Placed> {
        let (TextExpr::Field(field), TextExpr::Literal(value)) = (field, literal) else {
            return Ok(());
        };
        match domain_fault(*field, value) {
            Some(fault) => Err(self.at(at, fault)),
            None => Ok(()),
        }
    }
}

/// A whole number as floating point: exact up to 2^53, else the nearest.
#[expect(
    clippy::cast_precision_loss,
    reason = "the documented widening of int to float"
)]
pub(crate) fn widened(int: i64) -> f64 {
    int as f64
}

fn widen(value: Typed) -> Result<FloatExpr, FieldType> {
    match value {
        Typed::Int(IntExpr::Literal(int)) => Ok(FloatExpr::Literal(widened(int))),
        Typed::Int(int) => Ok(FloatExpr::Widened(int)),
        Typed::Float(float) => Ok(float),
        other => Err(other.field_type()),
    }
}

fn read(field: Field) -> Typed {
    match field.field_type() {
        FieldType::Bool => Typed::Bool(BoolExpr::Field(field)),
        FieldType::Int => Typed::Int(IntExpr::Field(field)),
        FieldType::Float => Typed::Float(FloatExpr::Field(field)),
        FieldType::Text => Typed::Text(TextExpr::Field(field)),
    }
}

/// The dotted name an expression spells, if it is one.
fn dotted_name(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => {
            Some(format!("{}.{}", dotted_name(&select.operand)?, select.field))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parser::parse;

    fn checked(text: &str) -> (BoolExpr, Vec<Field>) {
        match check(&parse(text).ok().unwrap()) {
            Ok(checked) => checked,
            Err(placed) => panic!("{text}: {}", placed.fault.message),
        }
    }

    fn refused(text: &str) -> (String, String) {
        let placed = check(&parse(text).ok().unwrap()).err().unwrap();
        (text[placed.range].to_owned(), placed.fault.message)
    }

    #[test]
    fn reads_fields_once_in_order() {
        let (_, fields) =
            checked("network.kind == 'vpn' && (device.state == 'new' || network.kind == 'tor')");
        assert_eq!(fields, [Field::NetworkKind, Field::DeviceState]);
        assert_eq!(checked("has(network.asn)").0, BoolExpr::Has(Field::NetworkAsn));
    }

    #[test]
    fn whole_numbers_are_widened_where_they_meet_others() {
        let less = |left, right| BoolExpr::CompareFloat(Comparison::Less, left, right);
        let speed = FloatExpr::Field(Field::TravelSpeedKmh);
        let logins = FloatExpr::Widened(IntExpr::Field(Field::UserLogins));
        assert_eq!(
            checked("travel.speed_kmh < 3").0,
            less(speed.clone(), FloatExpr::Literal(3.0))
        );
        assert_eq!(checked("user.logins < travel.speed_kmh").0, less(logins, speed));
    }

    fn assert_refused(cases: &[(&str, &str, &str)]) {
        for (text, place, message) in cases {
            let expected = ((*place).to_owned(), (*message).to_owned());
            assert_eq!(refused(text), expected, "{text}");
        }
    }

    #[test]
    fn wrong_names_and_types_are_placed_and_worded() {
        assert_refused(&[
            (
                "device.stat == 'new'",
                "device.stat",
                "unknown field `device.stat`",
            ),
            ("device.state == 'nwe'", "'nwe'", "`device.state` is never `nwe`"),
            (
                "network.kind in ['vpn', 'hostin']",
                "'hostin'",
                "`network.kind` is never `hostin`",
            ),
            ("device.state == new", "new", "unknown field `new`"),
            ("user.logins == 'x'", "==", "int cannot be compared with text"),
            (
                "device.state < 'new'",
                "<",
                "two values of type text have no order",
            ),
            (
                "user.logins",
                "user.logins",
                "this is of type int, where true or false is needed",
            ),
            (
                "user.logins && true",
                "user.logins",
                "this is of type int, where true or false is needed",
            ),
            (
                "client.ip + 'x' == 'y'",
                "+",
                "arithmetic needs numbers, one side is of type text",
            ),
            ("travel.speed_kmh % 2 == 0", "%", "`%` needs two whole numbers"),
            ("-device.managed", "-", "`-` needs a number, this is of type bool"),
        ]);
    }

    #[test]
    fn what_is_not_supported_is_placed_and_worded() {
        assert_refused(&[
            (
                "user.logins in [1, user.logins]",
                "user.logins",
                "the list may only hold numbers, this is of type int",
            ),
            (
                "user.logins in [1, 'x']",
                "'x'",
                "the list may only hold numbers, this is of type text",
            ),
            ("client.ip in []", "[", "the list is empty, so this is never true"),
            (
                "client.ip in client.ja4",
                "client.ja4",
                "`in` needs a list in square brackets",
            ),
            (
                "client.ip.startsWith('10.')",
                "(",
                "the function `startsWith` is not supported",
            ),
            ("size(client.ip) > 3", "(", "the function `size` is not supported"),
            (
                "[1].exists(x, x > 0)",
                "(",
                "`all`, `exists`, `map` and `filter` are not supported",
            ),
            ("client.ip == b'x'", "b'x'", "bytes are not supported"),
            ("user.logins == 3u", "3u", "unsigned numbers are not supported"),
            ("[1, 2][0] == 1", "[", "indexing with `[..]` is not supported"),
            ("has(device.stat)", "device.stat", "unknown field `device.stat`"),
        ]);
    }
}
