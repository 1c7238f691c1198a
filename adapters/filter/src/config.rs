//! The environment of the filter. The original had none: it read its objects from Kubernetes itself.

use common::config::{Config, Problems};
use routing::{Expression, Mistake};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the filter.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FilterConfig {
    /// The condition, in CEL: over the attributes (`ce.type`), the data (`data.amount`), and typed values of the data
    /// (`$amount.(double)`).
    #[schemars(example = "$order.amount.(double) > 100.0 && ce.type == 'com.example.order'")]
    pub filter_expression: String,
}

impl Config for FilterConfig {
    fn validate(&self, problems: &mut Problems) {
        for mistake in self.compile().err().unwrap_or_default() {
            problems.add("FILTER_EXPRESSION", format_args!("is no condition: {mistake}"));
        }
    }
}

impl FilterConfig {
    /// The condition.
    pub fn compile(&self) -> Result<Expression, Vec<Mistake>> {
        Expression::new(&self.filter_expression)
    }
}

#[cfg(test)]
mod tests {
    use common::config::{Environment, load};

    use super::*;

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let problems = |expression: &str| {
            let environment = Environment::from([("FILTER_EXPRESSION".to_owned(), expression.to_owned())]);
            load::<FilterConfig>(&environment).map_or_else(|error| error.problems, |_| Vec::new())
        };
        assert_eq!(problems("$id.(int64) >= 8"), Vec::<String>::new());
        assert_eq!(
            problems("$id.(int) >= 8 &&\n  $name == 'a'"),
            [
                "FILTER_EXPRESSION is no condition: line 1, column 6: unknown type 'int': did you mean 'int64'?",
                "FILTER_EXPRESSION is no condition: line 2, column 3: '$name' has no type: one was expected, such as \
                 $name.(string)",
            ]
        );
        assert_eq!(
            problems("ce.type"),
            ["FILTER_EXPRESSION is no condition: line 1, column 1: the result must be a bool, not a string"]
        );
    }
}
