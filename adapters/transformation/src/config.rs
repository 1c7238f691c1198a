//! The environment of the transformation: the names are those of the original image.

use bumblebee::{Problem, Transformation};
use common::config::{Config, Json, Problems};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Settings of the transformation.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct TransformationConfig {
    /// Operations on the attributes: a JSON list of `{"operation": …, "paths": [{"key": …, "value": …, "separator": …}]}`.
    #[serde(default)]
    pub transformation_context: Json<Value>,
    /// Operations on the data: a JSON list of the same form.
    #[serde(default)]
    pub transformation_data: Json<Value>,
}

impl Config for TransformationConfig {
    fn validate(&self, problems: &mut Problems) {
        for problem in self.compile().err().unwrap_or_default() {
            let variable = if problem.pointer.starts_with("context") {
                "TRANSFORMATION_CONTEXT"
            } else {
                "TRANSFORMATION_DATA"
            };
            problems.add(variable, format_args!("is no list of operations: {problem}"));
        }
    }
}

impl TransformationConfig {
    /// What the two lists mean together: variables are shared between them.
    pub fn compile(&self) -> Result<Transformation, Vec<Problem>> {
        Transformation::new(&self.transformation_context, &self.transformation_data)
    }
}

#[cfg(test)]
mod tests {
    use common::config::of;

    use super::*;

    fn problems(context: &str, data: &str) -> Vec<String> {
        let settings = [("TRANSFORMATION_CONTEXT", context), ("TRANSFORMATION_DATA", data)];
        of::<TransformationConfig>(&settings).map_or_else(|error| error.problems, |_| Vec::new())
    }

    #[test]
    fn absent_empty_and_null_are_no_operations() {
        for (context, data) in [("", ""), ("null", "null"), ("[]", "[]"), ("[]", "")] {
            assert_eq!(problems(context, data), Vec::<String>::new(), "{context} {data}");
        }
    }

    #[test]
    fn every_mistake_names_its_variable_and_place() {
        assert_eq!(
            problems(
                r#"[{"operation": "ADD"}]"#,
                r#"[{"operation": "shift", "paths": [{"key": "a"}, {"key": "a:b[-1]"}]}]"#
            ),
            [
                "TRANSFORMATION_CONTEXT is no list of operations: context[0].operation is no operation: did you mean 'add'?",
                "TRANSFORMATION_DATA is no list of operations: data[0].paths[0].key must be two paths with one ':' between \
                 them, as in 'old.path:new.path'",
                "TRANSFORMATION_DATA is no list of operations: data[0].paths[1].key has the index -1: they begin with 0",
            ]
        );
        assert_eq!(problems("{}", "[").len(), 1, "what is no JSON is told by itself");
        assert_eq!(problems("{}", "7").len(), 2);
    }
}
