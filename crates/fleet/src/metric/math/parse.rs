//! Reads metric math by recursive descent.

use super::{Aggregate, Expression, ExpressionError, Filling, Operator, SeriesList};

/// CloudWatch's limit of an expression.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html>
const LONGEST: usize = 2048;

/// So deep may one expression stand in another. CloudWatch tells no limit; this one keeps the reader off the end of its stack.
const DEEPEST: usize = 64;

pub(super) fn expression(text: &str) -> Result<Expression, ExpressionError> {
    if text.len() > LONGEST {
        return Err(syntax(format!("it is longer than {LONGEST} characters")));
    }
    let mut parser = Parser {
        rest: text.trim_start(),
        depth: 0,
    };
    let expression = parser.binary(1)?;
    if parser.rest.is_empty() {
        Ok(expression)
    } else {
        Err(parser.unexpected("an operator"))
    }
}

fn syntax(message: impl Into<String>) -> ExpressionError {
    ExpressionError::Syntax(message.into())
}

/// What is left to be read; it never begins with a space.
struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

type Parsed<T> = Result<T, ExpressionError>;

impl<'a> Parser<'a> {
    /// Operands joined by operators of at least this strength; those of equal strength from left to right.
    fn binary(&mut self, weakest: u8) -> Parsed<Expression> {
        let mut left = self.unary()?;
        while let Some((sign, operator)) = self.operator().filter(|(_, operator)| operator.strength() >= weakest) {
            self.advance(sign.len());
            let right = self.binary(operator.strength() + 1)?;
            left = Expression::Binary(operator, left.into(), right.into());
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expression> {
        if self.depth == DEEPEST {
            return Err(syntax(format!("it is nested deeper than {DEEPEST}")));
        }
        self.depth += 1;
        let operand = self.operand();
        self.depth -= 1;
        operand
    }

    fn operand(&mut self) -> Parsed<Expression> {
        if self.take("-") {
            return Ok(Expression::Negated(self.unary()?.into()));
        }
        if self.take("(") {
            let inner = self.binary(1)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.rest.starts_with(|char: char| char.is_ascii_digit() || char == '.') {
            return self.number();
        }
        match self.word() {
            Some(name) if self.take("(") => {
                let call = self.call(name)?;
                self.expect(")")?;
                Ok(call)
            }
            Some(id) if id.starts_with(|char: char| char.is_ascii_lowercase()) => Ok(Expression::Query(id.to_owned())),
            Some(other) => Err(syntax(format!("`{other}` is no id: it begins with a small letter"))),
            None => Err(self.unexpected("a number, an id or a function")),
        }
    }

    fn call(&mut self, name: &str) -> Parsed<Expression> {
        if let Some((_, aggregate)) = Aggregate::NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(Expression::Aggregate(*aggregate, self.series_list()?));
        }
        match name {
            "FILL" => self.fill(),
            "IF" => self.conditional(),
            other => Err(ExpressionError::UnknownFunction(other.to_owned())),
        }
    }

    /// Of a single series these functions make a single number, which no alarm can watch.
    fn series_list(&mut self) -> Parsed<SeriesList> {
        if self.take("[") {
            return Ok(SeriesList::These(self.list()?));
        }
        match self.word() {
            Some("METRICS") if self.take("(") => {
                let part = if self.rest.starts_with('"') { self.quoted()? } else { "" };
                self.expect(")")?;
                Ok(SeriesList::Metrics(part.to_owned()))
            }
            _ => Err(self.unexpected("`METRICS()` or a list like `[m1, m2]`")),
        }
    }

    fn list(&mut self) -> Parsed<Vec<Expression>> {
        let mut all = vec![self.binary(1)?];
        while self.take(",") {
            all.push(self.binary(1)?);
        }
        self.expect("]")?;
        Ok(all)
    }

    fn fill(&mut self) -> Parsed<Expression> {
        let series = self.binary(1)?.into();
        self.expect(",")?;
        if self.rest.starts_with("LINEAR") {
            return Err(ExpressionError::UnknownFunction("FILL(…, LINEAR)".to_owned()));
        }
        if self.take("REPEAT") {
            return Ok(Expression::Fill(series, Filling::Repeat));
        }
        Ok(Expression::Fill(series, Filling::With(self.binary(1)?.into())))
    }

    fn conditional(&mut self) -> Parsed<Expression> {
        let condition = self.binary(1)?.into();
        self.expect(",")?;
        let then = self.binary(1)?.into();
        let otherwise = self.take(",").then(|| self.binary(1)).transpose()?;
        Ok(Expression::If(condition, then, otherwise.map(Box::new)))
    }

    fn number(&mut self) -> Parsed<Expression> {
        let end = self.rest.find(|char: char| !char.is_ascii_digit() && char != '.');
        let digits = &self.rest[..end.unwrap_or(self.rest.len())];
        let number = digits.parse().map_err(|_| syntax(format!("`{digits}` is no number")))?;
        self.advance(digits.len());
        Ok(Expression::Number(number))
    }

    fn quoted(&mut self) -> Parsed<&'a str> {
        self.expect("\"")?;
        let (text, _) = self
            .rest
            .split_once('"')
            .ok_or_else(|| self.unexpected("a closing quote"))?;
        self.advance(text.len() + 1);
        Ok(text)
    }

    fn word(&mut self) -> Option<&'a str> {
        if !self.rest.starts_with(|char: char| char.is_ascii_alphabetic()) {
            return None;
        }
        let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
        let end = self.rest.find(|char| !is_part(char)).unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        self.advance(end);
        Some(word)
    }

    fn operator(&self) -> Option<(&'static str, Operator)> {
        let stands_here = |sign: &str| self.rest.starts_with(sign);
        Operator::SIGNS.into_iter().find(|(sign, _)| stands_here(sign))
    }

    fn take(&mut self, sign: &str) -> bool {
        let stands_here = self.rest.starts_with(sign);
        if stands_here {
            self.advance(sign.len());
        }
        stands_here
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{sign}`")))
        }
    }

    fn advance(&mut self, length: usize) {
        self.rest = self.rest[length..].trim_start();
    }

    fn unexpected(&self, expected: &str) -> ExpressionError {
        match self.rest.chars().next() {
            Some(_) => syntax(format!("{expected} is expected at `{}`", self.rest)),
            None => syntax(format!("{expected} is expected at the end")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn expressions_bind_as_usual() {
        let check = |text: &str, expected: &str| assert_eq!(expression(text).unwrap().to_string(), expected, "{text}");
        check("m1", "m1");
        check("1+2*m3", "(1) + ((2) * (m3))");
        check("1-2-3", "((1) - (2)) - (3)");
        check("-m1 ^ 2", "(-(m1)) ^ (2)");
        check("a > 1 AND b<=2 || c", "(((a) > (1)) && ((b) <= (2))) || (c)");
        check("100*(errors/requests)", "(100) * ((errors) / (requests))");
        check("SUM( METRICS() )", "SUM(METRICS())");
        check("MAX([m1, m2+1])", "MAX([m1, (m2) + (1)])");
        check("AVG(METRICS(\"err\"))", "AVG(METRICS(\"err\"))");
        check("FILL(m1,REPEAT)/FILL(m2, 0)", "(FILL(m1, REPEAT)) / (FILL(m2, 0))");
        check("IF(m1>5, m2)", "IF((m1) > (5), m2)");
    }

    #[test]
    fn what_is_no_expression_is_told() {
        let check = |text: &str, expected: &str| assert_eq!(expression(text).unwrap_err().to_string(), expected);
        check("", "a number, an id or a function is expected at the end");
        check("m1 m2", "an operator is expected at `m2`");
        check(
            "ANOMALY_DETECTION_BAND(m1)",
            "the function `ANOMALY_DETECTION_BAND` is not computed here",
        );
        check("SUM(m1)", "`METRICS()` or a list like `[m1, m2]` is expected at `)`");
        check("(1", "`)` is expected at the end");
        check("M1", "`M1` is no id: it begins with a small letter");
        check("1.2.3", "`1.2.3` is no number");
    }

    fn any_expression() -> impl Strategy<Value = Expression> {
        let leaf = prop_oneof![
            (0u32..1000).prop_map(|number| Expression::Number(number.into())),
            "[a-z][a-z0-9]{0,3}".prop_map(Expression::Query),
            "[a-z]{0,3}".prop_map(|part| Expression::Aggregate(Aggregate::Sum, SeriesList::Metrics(part))),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            let operators = Operator::SIGNS.map(|(_, operator)| operator);
            prop_oneof![
                inner.clone().prop_map(|inner| Expression::Negated(inner.into())),
                (
                    proptest::sample::select(operators.to_vec()),
                    inner.clone(),
                    inner.clone()
                )
                    .prop_map(|(operator, left, right)| Expression::Binary(
                        operator,
                        left.into(),
                        right.into()
                    )),
                proptest::collection::vec(inner.clone(), 1..3)
                    .prop_map(|all| Expression::Aggregate(Aggregate::Average, SeriesList::These(all))),
                (inner.clone(), inner.clone())
                    .prop_map(|(series, filling)| Expression::Fill(series.into(), Filling::With(filling.into()))),
                (inner.clone(), inner.clone(), inner).prop_map(|(condition, then, otherwise)| Expression::If(
                    condition.into(),
                    then.into(),
                    Some(otherwise.into())
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_as_the_same(expression in any_expression()) {
            let text = expression.to_string();
            prop_assume!(text.len() <= LONGEST);
            prop_assert_eq!(super::expression(&text), Ok(expression));
        }

        #[test]
        fn whatever_is_read_nothing_panics(text in "[-a-zA-Z0-9()\\[\\],.\"+*/<>=!&| ]{0,40}") {
            let _ = super::expression(&text);
        }
    }
}
