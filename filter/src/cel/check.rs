//! Checks types before any request comes. What a claim is nobody knows yet; everything else is known.

use super::CelError;
use super::syntax::{Expression, Kind, Literal, Operator, Variable};

/// What is known of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    /// A claim, or what is made of one.
    Unknown,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    List,
    Claims,
    Request,
    Headers,
    Service,
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "a claim",
            Self::Null => "null",
            Self::Bool => "a bool",
            Self::Int => "an int",
            Self::Uint => "a uint",
            Self::Double => "a double",
            Self::String => "a string",
            Self::List => "a list",
            Self::Claims => "the claims",
            Self::Request => "the request",
            Self::Headers => "the headers",
            Self::Service => "the service",
        }
    }

    const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }

    fn may_be(self, wanted: Self) -> bool {
        self == Self::Unknown || self == wanted
    }
}

/// Whether the expression can be true or false.
pub(super) fn check(root: &Expression) -> Result<(), CelError> {
    expect(root, Type::Bool, "the expression")
}

fn expect(expression: &Expression, wanted: Type, what: &str) -> Result<(), CelError> {
    let found = type_of(expression)?;
    if found.may_be(wanted) {
        return Ok(());
    }
    let problem = format!("{what} must be {}, and this is {}", wanted.name(), found.name());
    Err(CelError::new(expression.at, problem))
}

fn type_of(expression: &Expression) -> Result<Type, CelError> {
    let at = expression.at;
    Ok(match &expression.kind {
        Kind::Literal(literal) => match literal {
            Literal::Null => Type::Null,
            Literal::Bool(_) => Type::Bool,
            Literal::Int(_) => Type::Int,
            Literal::Uint(_) => Type::Uint,
            Literal::Double(_) => Type::Double,
            Literal::String(_) => Type::String,
        },
        Kind::List(elements) => {
            for element in elements {
                type_of(element)?;
            }
            Type::List
        }
        Kind::Variable(Variable::Claims) => Type::Claims,
        Kind::Variable(Variable::Request) => Type::Request,
        Kind::Variable(Variable::Service) => Type::Service,
        Kind::Local => Type::Unknown,
        Kind::Field(operand, name) => field(at, type_of(operand)?, name)?,
        Kind::Has(operand, name) => {
            field(at, type_of(operand)?, name)?;
            Type::Bool
        }
        Kind::Index(operand, key) => index(operand, key)?,
        Kind::Not(operand) => {
            expect(operand, Type::Bool, "what ! is about")?;
            Type::Bool
        }
        Kind::Negate(operand) => match type_of(operand)? {
            found @ (Type::Int | Type::Double | Type::Unknown) => found,
            found => {
                return Err(CelError::new(
                    at,
                    format!("- takes a number, and this is {}", found.name()),
                ));
            }
        },
        Kind::All(operands) | Kind::Any(operands) => {
            for operand in operands {
                expect(operand, Type::Bool, "each side of && and ||")?;
            }
            Type::Bool
        }
        Kind::Binary(operator, one, other) => binary(at, *operator, type_of(one)?, type_of(other)?)?,
        Kind::Conditional(condition, yes, no) => {
            expect(condition, Type::Bool, "what stands before ?")?;
            let (yes, no) = (type_of(yes)?, type_of(no)?);
            if yes == no { yes } else { Type::Unknown }
        }
        Kind::Size(operand) => match type_of(operand)? {
            Type::String | Type::List | Type::Claims | Type::Unknown => Type::Int,
            found => return Err(CelError::new(at, format!("{} has no size", found.name()))),
        },
        Kind::Convert(conversion, operand) => {
            use super::syntax::Conversion;
            let found = type_of(operand)?;
            let possible = found == Type::Unknown || found.is_number() || found == Type::String;
            match conversion {
                Conversion::Int if possible => Type::Int,
                Conversion::Double if possible => Type::Double,
                Conversion::String if (possible && found != Type::Double) || found == Type::Bool => Type::String,
                _ => return Err(CelError::new(at, format!("{} can't be converted so", found.name()))),
            }
        }
        Kind::Text(_, operand, argument) => {
            expect(operand, Type::String, "what stands before the method")?;
            expect(argument, Type::String, "the argument")?;
            Type::Bool
        }
        Kind::Matches(operand, _) => {
            expect(operand, Type::String, "what stands before matches")?;
            Type::Bool
        }
        Kind::Loop(_, range, condition) => {
            let found = type_of(range)?;
            if !matches!(found, Type::List | Type::Claims | Type::Unknown) {
                let problem = format!("a loop goes over a list or a map, and this is {}", found.name());
                return Err(CelError::new(range.at, problem));
            }
            expect(condition, Type::Bool, "the condition of a loop")?;
            Type::Bool
        }
    })
}

fn field(at: usize, operand: Type, name: &str) -> Result<Type, CelError> {
    let problem = match (operand, name) {
        (Type::Claims | Type::Unknown, _) => return Ok(Type::Unknown),
        (Type::Request, "method" | "path") | (Type::Service, "name") => return Ok(Type::String),
        (Type::Request, "headers") => return Ok(Type::Headers),
        (Type::Headers, name) => {
            header(at, name)?;
            return Ok(Type::String);
        }
        (Type::Request, _) => format!("request has no {name}; it has: method, path, headers"),
        (Type::Service, _) => format!("service has no {name}; it has: name"),
        (operand, _) => format!("{} has no fields", operand.name()),
    };
    Err(CelError::new(at, problem))
}

fn index(operand: &Expression, key: &Expression) -> Result<Type, CelError> {
    match type_of(operand)? {
        Type::Headers => {
            expect(key, Type::String, "the name of a header")?;
            if let Kind::Literal(Literal::String(name)) = &key.kind {
                header(key.at, name)?;
            }
            Ok(Type::String)
        }
        Type::Claims => expect(key, Type::String, "the name of a claim").map(|()| Type::Unknown),
        Type::List => expect(key, Type::Int, "the place in a list").map(|()| Type::Unknown),
        Type::Unknown => match type_of(key)? {
            Type::Int | Type::String | Type::Unknown => Ok(Type::Unknown),
            found => Err(CelError::new(key.at, format!("{} is no key", found.name()))),
        },
        found => Err(CelError::new(operand.at, format!("{} has no elements", found.name()))),
    }
}

/// A name that no header can be found under would be absent for ever.
fn header(at: usize, name: &str) -> Result<(), CelError> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(CelError::new(at, "names of headers are in lower case here"));
    }
    Ok(())
}

fn binary(at: usize, operator: Operator, one: Type, other: Type) -> Result<Type, CelError> {
    use Operator::{
        Add, Divide, Equal, Greater, GreaterOrEqual, In, Less, LessOrEqual, Multiply, Remainder, Subtract, Unequal,
    };
    let unknown = one == Type::Unknown || other == Type::Unknown;
    let known = if one == Type::Unknown { other } else { one };
    let numbers = one.is_number() && other.is_number();
    let composite = |found: Type| matches!(found, Type::Request | Type::Headers | Type::Service);
    let result = match operator {
        Equal | Unequal if composite(one) || composite(other) => None,
        Equal | Unequal if unknown || numbers || one == other || one == Type::Null || other == Type::Null => {
            Some(Type::Bool)
        }
        Less | LessOrEqual | Greater | GreaterOrEqual => {
            let ordered = |found: Type| found.is_number() || matches!(found, Type::String | Type::Bool | Type::Unknown);
            (ordered(known) && ordered(other) && (unknown || numbers || one == other)).then_some(Type::Bool)
        }
        In => match other {
            Type::List | Type::Unknown => Some(Type::Bool),
            Type::Claims | Type::Headers => one.may_be(Type::String).then_some(Type::Bool),
            _ => None,
        },
        Add if known == Type::String && (unknown || one == other) => Some(Type::String),
        Add | Subtract | Multiply | Divide | Remainder => {
            let calculable = known == Type::Unknown || (known.is_number() && (unknown || one == other));
            let possible = calculable && (operator != Remainder || known != Type::Double);
            possible.then_some(known)
        }
        Equal | Unequal => None,
    };
    result.ok_or_else(|| {
        let problem = format!(
            "{} can't stand between {} and {}",
            operator.symbol(),
            one.name(),
            other.name()
        );
        CelError::new(at, problem)
    })
}
