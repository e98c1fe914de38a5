//! From the text of an expression to its words.

use super::CelError;
use super::syntax::Literal;

/// A word and where it begins, in characters from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) at: usize,
    pub(super) token: Token,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Literal(Literal),
    Symbol(&'static str),
    End,
}

/// The longer ones first: `<=` is not `<` and something.
const SYMBOLS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]",
    "{", "}",
];

/// All words, the last one being the end.
pub(super) fn words(text: &str) -> Result<Vec<Word>, CelError> {
    let mut lexer = Lexer {
        characters: text.chars().collect(),
        next: 0,
    };
    let mut words = Vec::new();
    loop {
        lexer.skip_blanks();
        let at = lexer.next + 1;
        let token = lexer.token()?;
        let ended = token == Token::End;
        words.push(Word { at, token });
        if ended {
            return Ok(words);
        }
    }
}

struct Lexer {
    characters: Vec<char>,
    next: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.next + ahead).copied()
    }

    fn take(&mut self) -> Option<char> {
        let character = self.peek(0)?;
        self.next += 1;
        Some(character)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(character) = self.peek(0).filter(|character| wanted(*character)) {
            taken.push(character);
            self.next += 1;
        }
        taken
    }

    fn error(&self, problem: impl Into<String>) -> CelError {
        CelError::new(self.next + 1, problem)
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take_while(|character| matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            if self.peek(0) != Some('/') || self.peek(1) != Some('/') {
                return;
            }
            self.take_while(|character| character != '\n');
        }
    }

    fn token(&mut self) -> Result<Token, CelError> {
        let Some(first) = self.peek(0) else {
            return Ok(Token::End);
        };
        let second = self.peek(1);
        if first.is_ascii_digit() || (first == '.' && second.is_some_and(|digit| digit.is_ascii_digit())) {
            return self.number();
        }
        if matches!(first, '"' | '\'') {
            return self.string(Escapes::Read);
        }
        if matches!(first, 'r' | 'R') && matches!(second, Some('"' | '\'')) {
            self.next += 1;
            return self.string(Escapes::Raw);
        }
        if matches!(first, 'b' | 'B') && matches!(second, Some('"' | '\'')) {
            return Err(self.error("bytes are not supported; write a string"));
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let name = self.take_while(|character| character.is_ascii_alphanumeric() || character == '_');
            return Ok(match name.as_str() {
                "true" => Token::Literal(Literal::Bool(true)),
                "false" => Token::Literal(Literal::Bool(false)),
                "null" => Token::Literal(Literal::Null),
                "in" => Token::Symbol("in"),
                _ => Token::Name(name),
            });
        }
        for symbol in SYMBOLS {
            let mut characters = symbol.chars().enumerate();
            if characters.all(|(ahead, character)| self.peek(ahead) == Some(character)) {
                self.next += symbol.len();
                return Ok(Token::Symbol(symbol));
            }
        }
        let meant = match first {
            '=' => "; write == to compare",
            '&' => "; write && for and",
            '|' => "; write || for or",
            _ => "",
        };
        Err(self.error(format!("a character that means nothing here{meant}")))
    }

    fn number(&mut self) -> Result<Token, CelError> {
        let start = self.next + 1;
        let error = |problem: &str| CelError::new(start, problem);
        let hexadecimal = self.peek(0) == Some('0') && matches!(self.peek(1), Some('x' | 'X'));
        let (digits, radix) = if hexadecimal {
            self.next += 2;
            (self.take_while(|digit| digit.is_ascii_hexdigit()), 16)
        } else {
            (self.take_while(|digit| digit.is_ascii_digit()), 10)
        };
        let fraction = !hexadecimal
            && (matches!(self.peek(0), Some('e' | 'E'))
                || (self.peek(0) == Some('.') && self.peek(1).is_some_and(|digit| digit.is_ascii_digit())));
        let token = if fraction {
            let mut text = digits;
            text.extend(self.take_fraction());
            let number: f64 = text.parse().map_err(|_| error("is no number"))?;
            if !number.is_finite() {
                return Err(error("is a number too large for a double"));
            }
            Literal::Double(number)
        } else if matches!(self.peek(0), Some('u' | 'U')) {
            self.next += 1;
            let number = u64::from_str_radix(&digits, radix);
            Literal::Uint(number.map_err(|_| error("is no number from 0 to 18446744073709551615"))?)
        } else {
            let number = i64::from_str_radix(&digits, radix);
            Literal::Int(number.map_err(|_| error("is no number from 0 to 9223372036854775807; write u behind it"))?)
        };
        if self
            .peek(0)
            .is_some_and(|next| next.is_ascii_alphanumeric() || next == '_')
        {
            return Err(self.error("a number goes on as a word; put an operator between them"));
        }
        Ok(Token::Literal(token))
    }

    fn take_fraction(&mut self) -> Vec<char> {
        let mut text = Vec::new();
        let digit = |character: char| character.is_ascii_digit();
        if self.peek(0) == Some('.') {
            text.extend(self.take());
            text.extend(self.take_while(digit).chars());
        }
        if matches!(self.peek(0), Some('e' | 'E')) {
            text.extend(self.take());
            if matches!(self.peek(0), Some('+' | '-')) {
                text.extend(self.take());
            }
            text.extend(self.take_while(digit).chars());
        }
        text
    }

    fn string(&mut self, escapes: Escapes) -> Result<Token, CelError> {
        let unfinished = self.error("a string that does not end");
        let quote = self.take();
        if self.peek(0) == quote && self.peek(1) == quote {
            return Err(self.error("strings between three quotes are not supported; write one quote"));
        }
        let mut text = String::new();
        loop {
            match self.take() {
                None | Some('\n' | '\r') => return Err(unfinished),
                character if character == quote => return Ok(Token::Literal(Literal::String(text))),
                Some('\\') if escapes == Escapes::Read => text.push(self.escape()?),
                Some(character) => text.push(character),
            }
        }
    }

    fn escape(&mut self) -> Result<char, CelError> {
        let unknown = self.error("an escape that the language does not have; write \\\\ for a backslash, or r'...'");
        let (length, radix, first) = match self.take() {
            Some('n') => return Ok('\n'),
            Some('r') => return Ok('\r'),
            Some('t') => return Ok('\t'),
            Some(character @ ('\\' | '\'' | '"' | '`' | '?')) => return Ok(character),
            Some('x' | 'X') => (2, 16, None),
            Some('u') => (4, 16, None),
            Some('U') => (8, 16, None),
            Some(digit @ '0'..='3') => (2, 8, digit.to_digit(8)),
            _ => return Err(unknown),
        };
        let mut code = first.unwrap_or_default();
        for _ in 0..length {
            let digit = self.take().and_then(|digit| digit.to_digit(radix));
            let next = digit.and_then(|digit| code.checked_mul(radix)?.checked_add(digit));
            code = next.ok_or_else(|| unknown.clone())?;
        }
        char::from_u32(code).ok_or(unknown)
    }
}

/// Whether a backslash in a string means something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Read,
    Raw,
}
