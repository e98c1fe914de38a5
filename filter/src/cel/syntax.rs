//! What an expression is made of, names resolved.

use crate::matching::Pattern;

/// An expression and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expression {
    /// In characters from 1.
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Literal(Literal),
    List(Vec<Expression>),
    /// `claims`, `request`, `service`
    Variable(Variable),
    /// The variable of the loop around it. There is one at most.
    Local,
    /// `operand.name`
    Field(Box<Expression>, String),
    /// `operand[key]`
    Index(Box<Expression>, Box<Expression>),
    /// `has(operand.name)`
    Has(Box<Expression>, String),
    Not(Box<Expression>),
    Negate(Box<Expression>),
    /// `a && b && ...`
    All(Vec<Expression>),
    /// `a || b || ...`
    Any(Vec<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// `condition ? yes : no`
    Conditional(Box<Expression>, Box<Expression>, Box<Expression>),
    /// `size(operand)`
    Size(Box<Expression>),
    /// `string(operand)`, `int(operand)`, `double(operand)`
    Convert(Conversion, Box<Expression>),
    /// `operand.startsWith(argument)` and its kin
    Text(TextFunction, Box<Expression>, Box<Expression>),
    /// `operand.matches('...')`: a match anywhere, as the language has it
    Matches(Box<Expression>, Pattern),
    /// `range.all(name, condition)` and its kin
    Loop(Quantifier, Box<Expression>, Box<Expression>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    Claims,
    Request,
    Service,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    Int,
    Double,
    String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextFunction {
    StartsWith,
    EndsWith,
    Contains,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    All,
    Exists,
    ExistsOne,
}
