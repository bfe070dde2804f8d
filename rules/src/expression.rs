//! A condition whose every part has a type: what `check.rs` makes and `compile.rs` takes.

use cel::common::ast::operators;

use crate::schema::Field;

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`, whole numbers only
    Remainder,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Something that is true or false.
#[derive(Clone, Debug, PartialEq)]
pub enum BoolExpr {
    /// `true`, `false`
    Literal(bool),
    /// A field of type bool.
    Field(Field),
    /// Whether the field has data.
    Has(Field),
    /// `!x`
    Not(Box<BoolExpr>),
    /// `x && y`
    And(Box<BoolExpr>, Box<BoolExpr>),
    /// `x || y`
    Or(Box<BoolExpr>, Box<BoolExpr>),
    /// `==` or `!=` of two truths
    CompareBool(Comparison, Box<BoolExpr>, Box<BoolExpr>),
    /// A comparison of whole numbers.
    CompareInt(Comparison, IntExpr, IntExpr),
    /// A comparison of numbers of which one is no whole number.
    CompareFloat(Comparison, FloatExpr, FloatExpr),
    /// `==` or `!=` of two texts
    CompareText(Comparison, TextExpr, TextExpr),
    /// `x in [1, 2]`
    InInts(IntExpr, Vec<i64>),
    /// `x in [1.5, 2]`
    InFloats(FloatExpr, Vec<f64>),
    /// `x in ["a", "b"]`
    InTexts(TextExpr, Vec<Box<str>>),
}

/// A whole number.
#[derive(Clone, Debug, PartialEq)]
pub enum IntExpr {
    /// A literal.
    Literal(i64),
    /// A field of type int.
    Field(Field),
    /// `-x`
    Negate(Box<IntExpr>),
    /// `x + y`
    Arithmetic(Arithmetic, Box<IntExpr>, Box<IntExpr>),
}

/// A floating point number.
#[derive(Clone, Debug, PartialEq)]
pub enum FloatExpr {
    /// A literal.
    Literal(f64),
    /// A field of type float.
    Field(Field),
    /// A whole number where a floating point number is needed.
    Widened(IntExpr),
    /// `-x`
    Negate(Box<FloatExpr>),
    /// `x + y`; never a remainder
    Arithmetic(Arithmetic, Box<FloatExpr>, Box<FloatExpr>),
}

/// A text.
#[derive(Clone, Debug, PartialEq)]
pub enum TextExpr {
    /// A literal.
    Literal(Box<str>),
    /// A field of type text.
    Field(Field),
}

impl Comparison {
    /// The comparison that CEL's tree calls by this name.
    pub(crate) fn of(operator: &str) -> Option<Self> {
        Some(match operator {
            operators::EQUALS => Comparison::Equal,
            operators::NOT_EQUALS => Comparison::NotEqual,
            operators::LESS => Comparison::Less,
            operators::LESS_EQUALS => Comparison::LessOrEqual,
            operators::GREATER => Comparison::Greater,
            operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }
}

impl Arithmetic {
    /// The operator that CEL's tree calls by this name.
    pub(crate) fn of(operator: &str) -> Option<Self> {
        Some(match operator {
            operators::ADD => Arithmetic::Add,
            operators::SUBSTRACT => Arithmetic::Subtract,
            operators::MULTIPLY => Arithmetic::Multiply,
            operators::DIVIDE => Arithmetic::Divide,
            operators::MODULO => Arithmetic::Remainder,
            _ => return None,
        })
    }
}
