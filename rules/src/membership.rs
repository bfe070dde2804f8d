//! Checks `x in [..]`: the list holds literals only, of the type of `x`.

use cel::IdedExpr;
use cel::common::ast::Expr;

use crate::check::{Checker, Typed, widened};
use crate::diagnostic::Fault;
use crate::expression::{BoolExpr, FloatExpr, IntExpr, TextExpr};
use crate::parser::Placed;
use crate::schema::FieldType;

impl Checker<'_> {
    pub(crate) fn member(
        &mut self,
        expression: &IdedExpr,
        value: &IdedExpr,
        list: &IdedExpr,
    ) -> Result<Typed, Placed> {
        let value = self.typed(value)?;
        let Expr::List(list_expression) = &list.expr else {
            let fault = Fault::new("`in` needs a list in square brackets");
            return Err(self.at(
                list,
                fault.help("for example `network.kind in [\"vpn\", \"tor\"]`"),
            ));
        };
        if list_expression.elements.is_empty() {
            return Err(self.at(list, Fault::new("the list is empty, so this is never true")));
        }
        let elements = list_expression.elements.as_slice();
        Ok(Typed::Bool(match value {
            Typed::Text(text) => BoolExpr::InTexts(text.clone(), self.texts(&text, elements)?),
            Typed::Bool(_) => {
                let fault = Fault::new("`in` is for text and numbers, this is of type bool");
                return Err(self.at(expression, fault));
            }
            Typed::Int(number) => match self.numbers(elements)? {
                (Some(ints), _) => BoolExpr::InInts(number, ints),
                (None, floats) => BoolExpr::InFloats(FloatExpr::Widened(number), floats),
            },
            Typed::Float(number) => BoolExpr::InFloats(number, self.numbers(elements)?.1),
        }))
    }

    fn texts(&mut self, text: &TextExpr, elements: &[IdedExpr]) -> Result<Vec<Box<str>>, Placed> {
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            match self.typed(element)? {
                Typed::Text(TextExpr::Literal(value)) => {
                    self.check_domain(text, &TextExpr::Literal(value.clone()), element)?;
                    values.push(value);
                }
                other => return Err(self.not_listable(element, FieldType::Text, &other)),
            }
        }
        Ok(values)
    }

    /// The listed numbers: as whole ones if all are, and in any case as floating point ones.
    fn numbers(&mut self, elements: &[IdedExpr]) -> Result<(Option<Vec<i64>>, Vec<f64>), Placed> {
        let mut ints = Some(Vec::with_capacity(elements.len()));
        let mut floats = Vec::with_capacity(elements.len());
        for element in elements {
            match number_literal(self.typed(element)?) {
                Ok((int, float)) => {
                    ints = ints.zip(int).map(|(mut ints, int)| {
                        ints.push(int);
                        ints
                    });
                    floats.push(float);
                }
                Err(other) => return Err(self.not_listable(element, FieldType::Float, &other)),
            }
        }
        Ok((ints, floats))
    }

    fn not_listable(&self, element: &IdedExpr, wanted: FieldType, found: &Typed) -> Placed {
        let wanted = if wanted == FieldType::Text {
            "texts in quotes"
        } else {
            "numbers"
        };
        let message = format!(
            "the list may only hold {wanted}, this is of type {}",
            found.field_type()
        );
        self.at(
            element,
            Fault::new(message).help("fields and calculations are not supported in lists"),
        )
    }
}

fn number_literal(value: Typed) -> Result<(Option<i64>, f64), Typed> {
    match value {
        Typed::Int(IntExpr::Literal(int)) => Ok((Some(int), widened(int))),
        Typed::Float(FloatExpr::Literal(float)) => Ok((None, float)),
        Typed::Int(IntExpr::Negate(inner)) => match *inner {
            IntExpr::Literal(int) if int != i64::MIN => Ok((Some(-int), widened(-int))),
            inner => Err(Typed::Int(inner)),
        },
        Typed::Float(FloatExpr::Negate(inner)) => match *inner {
            FloatExpr::Literal(float) => Ok((None, -float)),
            inner => Err(Typed::Float(inner)),
        },
        other => Err(other),
    }
}
