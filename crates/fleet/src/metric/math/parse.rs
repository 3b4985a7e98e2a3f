//! Reads metric math by recursive descent.

use super::{Aggregate, Expression, ExpressionError, Filling, Operator, SeriesList};
use crate::cursor::{Cursor, Unexpected};

/// CloudWatch's limit of an expression.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html>
const LONGEST: usize = 2048;

pub(super) fn expression(text: &str) -> Result<Expression, ExpressionError> {
    let mut parser = Parser(Cursor::new(text, LONGEST)?);
    let expression = parser.binary(1)?;
    parser.0.expect_end("an operator")?;
    Ok(expression)
}

fn syntax(message: impl Into<String>) -> ExpressionError {
    ExpressionError::Syntax(message.into())
}

impl From<Unexpected> for ExpressionError {
    fn from(unexpected: Unexpected) -> Self {
        syntax(unexpected.0)
    }
}

struct Parser<'a>(Cursor<'a>);

type Parsed<T> = Result<T, ExpressionError>;

impl<'a> Parser<'a> {
    /// Operands joined by operators of at least this strength; those of equal strength from left to right.
    fn binary(&mut self, weakest: u8) -> Parsed<Expression> {
        let mut left = self.unary()?;
        while let Some((sign, operator)) = self.operator().filter(|(_, operator)| operator.strength() >= weakest) {
            self.0.advance(sign.len());
            let right = self.binary(operator.strength() + 1)?;
            left = Expression::Binary(operator, left.into(), right.into());
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expression> {
        self.0.descend()?;
        let operand = self.operand();
        self.0.ascend();
        operand
    }

    fn operand(&mut self) -> Parsed<Expression> {
        if self.0.take("-") {
            return Ok(Expression::Negated(self.unary()?.into()));
        }
        if self.0.take("(") {
            let inner = self.binary(1)?;
            self.0.expect(")")?;
            return Ok(inner);
        }
        if self
            .0
            .rest()
            .starts_with(|char: char| char.is_ascii_digit() || char == '.')
        {
            return self.number();
        }
        match self.word() {
            Some(name) if self.0.take("(") => {
                let call = self.call(name)?;
                self.0.expect(")")?;
                Ok(call)
            }
            Some(id) if id.starts_with(|char: char| char.is_ascii_lowercase()) => Ok(Expression::Query(id.to_owned())),
            Some(other) => Err(syntax(format!("`{other}` is no id: it begins with a small letter"))),
            None => Err(self.0.unexpected("a number, an id or a function").into()),
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
        if self.0.take("[") {
            return Ok(SeriesList::These(self.list()?));
        }
        match self.word() {
            Some("METRICS") if self.0.take("(") => {
                let part = if self.0.rest().starts_with('"') {
                    self.quoted()?
                } else {
                    ""
                };
                self.0.expect(")")?;
                Ok(SeriesList::Metrics(part.to_owned()))
            }
            _ => Err(self.0.unexpected("`METRICS()` or a list like `[m1, m2]`").into()),
        }
    }

    fn list(&mut self) -> Parsed<Vec<Expression>> {
        let mut all = vec![self.binary(1)?];
        while self.0.take(",") {
            all.push(self.binary(1)?);
        }
        self.0.expect("]")?;
        Ok(all)
    }

    fn fill(&mut self) -> Parsed<Expression> {
        let series = self.binary(1)?.into();
        self.0.expect(",")?;
        if self.0.rest().starts_with("LINEAR") {
            return Err(ExpressionError::UnknownFunction("FILL(…, LINEAR)".to_owned()));
        }
        if self.0.take("REPEAT") {
            return Ok(Expression::Fill(series, Filling::Repeat));
        }
        Ok(Expression::Fill(series, Filling::With(self.binary(1)?.into())))
    }

    fn conditional(&mut self) -> Parsed<Expression> {
        let condition = self.binary(1)?.into();
        self.0.expect(",")?;
        let then = self.binary(1)?.into();
        let otherwise = self.0.take(",").then(|| self.binary(1)).transpose()?;
        Ok(Expression::If(condition, then, otherwise.map(Box::new)))
    }

    fn number(&mut self) -> Parsed<Expression> {
        let digits = self.0.take_while(|char| char.is_ascii_digit() || char == '.');
        let number = digits.parse().map_err(|_| syntax(format!("`{digits}` is no number")))?;
        Ok(Expression::Number(number))
    }

    fn quoted(&mut self) -> Parsed<&'a str> {
        self.0.expect("\"")?;
        Ok(self.0.take_to_quote()?)
    }

    fn word(&mut self) -> Option<&'a str> {
        let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
        let begins = self.0.rest().starts_with(|char: char| char.is_ascii_alphabetic());
        begins.then(|| self.0.take_while(is_part))
    }

    fn operator(&self) -> Option<(&'static str, Operator)> {
        let stands_here = |sign: &str| self.0.rest().starts_with(sign);
        Operator::SIGNS.into_iter().find(|(sign, _)| stands_here(sign))
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
