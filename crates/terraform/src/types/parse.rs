//! Reading type constraints, from Terraform expressions and from the JSON of provider schemas.

use std::collections::BTreeMap;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, FuncCall, Object, ObjectKey};
use serde_json::Value as Json;

use super::{ObjectAttribute, Type, convert};
use crate::Value;

/// What is wrong with a type expression, and at which bytes.
pub(crate) type TypeError = (String, Option<Range<usize>>);

/// Evaluates the constant expression of a default inside `optional()`.
pub(crate) type ConstantEvaluator<'a> = &'a dyn Fn(&Expression) -> Result<Value, String>;

impl Type {
    /// The type a `type` argument asks for.
    pub(crate) fn from_expression(expression: &Expression, constant: ConstantEvaluator<'_>) -> Result<Self, TypeError> {
        match expression {
            // Terraform keeps these two short forms for old modules, at the outermost level only.
            Expression::Variable(name) if name.as_str() == "list" => Ok(Self::List(Box::new(Self::Any))),
            Expression::Variable(name) if name.as_str() == "map" => Ok(Self::Map(Box::new(Self::Any))),
            _ => nested(expression, constant),
        }
    }
}

/// The type in the notation of `terraform providers schema -json`.
pub(super) fn from_json(json: &Json) -> Result<Type, String> {
    match json {
        Json::String(name) => match name.as_str() {
            "bool" => Ok(Type::Bool),
            "number" => Ok(Type::Number),
            "string" => Ok(Type::String),
            "dynamic" => Ok(Type::Any),
            _ => Err(format!("no type has the name `{name}`")),
        },
        Json::Array(parts) => match parts.as_slice() {
            [Json::String(constructor), of, ..] => constructed(constructor, of),
            _ => Err(format!("`{json}` is not a type")),
        },
        _ => Err(format!("`{json}` is not a type")),
    }
}

fn constructed(constructor: &str, of: &Json) -> Result<Type, String> {
    match (constructor, of) {
        ("list", _) => Ok(Type::List(Box::new(from_json(of)?))),
        ("set", _) => Ok(Type::Set(Box::new(from_json(of)?))),
        ("map", _) => Ok(Type::Map(Box::new(from_json(of)?))),
        ("tuple", Json::Array(types)) => Ok(Type::Tuple(types.iter().map(from_json).collect::<Result<_, _>>()?)),
        ("object", Json::Object(types)) => {
            let attribute = |(name, ty): (&String, &Json)| Ok((name.clone(), required(from_json(ty)?)));
            Ok(Type::Object(
                types.iter().map(attribute).collect::<Result<_, String>>()?,
            ))
        }
        _ => Err(format!("`{constructor}` does not make a type of `{of}`")),
    }
}

fn nested(expression: &Expression, constant: ConstantEvaluator<'_>) -> Result<Type, TypeError> {
    match expression {
        Expression::Variable(name) => keyword(name.as_str()).map_err(|message| (message, expression.span())),
        Expression::FuncCall(call) => constructor(call, constant),
        Expression::String(_) => Err((
            "Type constraints are not written in quotes since Terraform 0.12.".into(),
            expression.span(),
        )),
        _ => Err((
            "A type specification is either a primitive type keyword (bool, number, string) or a complex type constructor call, like list(string).".into(),
            expression.span(),
        )),
    }
}

fn keyword(name: &str) -> Result<Type, String> {
    match name {
        "any" => Ok(Type::Any),
        "bool" => Ok(Type::Bool),
        "number" => Ok(Type::Number),
        "string" => Ok(Type::String),
        "list" | "set" | "map" => Err(format!(
            "The {name} type constructor requires one argument specifying the element type."
        )),
        "object" => Err(
            "The object type constructor requires one argument specifying the attribute types and values as a map."
                .into(),
        ),
        "tuple" => {
            Err("The tuple type constructor requires one argument specifying the element types as a list.".into())
        }
        "optional" => Err(OPTIONAL_MISPLACED.into()),
        _ => Err(format!("The keyword {name:?} is not a valid type specification.")),
    }
}

const OPTIONAL_MISPLACED: &str = "Keyword \"optional\" is valid only as a modifier for object type attributes.";

fn constructor(call: &FuncCall, constant: ConstantEvaluator<'_>) -> Result<Type, TypeError> {
    let name = call.name.name.as_str();
    let arguments: Vec<&Expression> = call.args.iter().collect();
    match (name, arguments.as_slice()) {
        ("list", [element]) => Ok(Type::List(Box::new(nested(element, constant)?))),
        ("set", [element]) => Ok(Type::Set(Box::new(nested(element, constant)?))),
        ("map", [element]) => Ok(Type::Map(Box::new(nested(element, constant)?))),
        ("tuple", [Expression::Array(types)]) => {
            Ok(Type::Tuple(types.iter().map(|ty| nested(ty, constant)).collect::<Result<_, _>>()?))
        }
        ("object", [Expression::Object(attributes)]) => object(attributes, constant),
        ("object", [other]) => Err((
            "Object type constructor requires a map whose keys are attribute names and whose values are the corresponding attribute types.".into(),
            other.span(),
        )),
        ("list" | "set" | "map" | "tuple" | "object", _) => {
            let message = keyword(name).expect_err("a constructor's name alone is no type");
            Err((message, call.span()))
        }
        ("optional", _) => Err((OPTIONAL_MISPLACED.into(), call.span())),
        ("any" | "bool" | "number" | "string", _) => {
            Err((format!("Primitive type keyword {name:?} does not expect arguments."), call.span()))
        }
        _ => Err((format!("Keyword {name:?} is not a valid type constructor."), call.span())),
    }
}

fn object(attributes: &Object, constant: ConstantEvaluator<'_>) -> Result<Type, TypeError> {
    let mut types = BTreeMap::new();
    for (key, value) in attributes {
        let attribute = match value.expr() {
            Expression::FuncCall(call) if call.name.name.as_str() == "optional" => optional(call, constant)?,
            other => required(nested(other, constant)?),
        };
        types.insert(attribute_name(key)?, attribute);
    }
    Ok(Type::Object(types))
}

fn attribute_name(key: &ObjectKey) -> Result<String, TypeError> {
    match key {
        ObjectKey::Ident(name) | ObjectKey::Expression(Expression::Variable(name)) => Ok(name.as_str().to_owned()),
        ObjectKey::Expression(Expression::String(name)) => Ok(name.as_str().to_owned()),
        ObjectKey::Expression(other) => Err((
            "Object constructor map keys must be attribute names.".into(),
            other.span(),
        )),
    }
}

fn required(ty: Type) -> ObjectAttribute {
    ObjectAttribute {
        ty,
        optional: false,
        default: None,
    }
}

fn optional(call: &FuncCall, constant: ConstantEvaluator<'_>) -> Result<ObjectAttribute, TypeError> {
    let arguments: Vec<&Expression> = call.args.iter().collect();
    let (ty, default) =
        match arguments.as_slice() {
            [ty] => (nested(ty, constant)?, None),
            [ty, default] => (nested(ty, constant)?, Some(*default)),
            [] => {
                return Err((
                    "Optional attribute modifier requires the attribute type as its argument.".into(),
                    call.span(),
                ));
            }
            _ => return Err((
                "Optional attribute modifier expects at most two arguments: the attribute type, and a default value."
                    .into(),
                call.span(),
            )),
        };
    let default = default
        .map(|expression| default_value(expression, &ty, constant))
        .transpose()?;
    Ok(ObjectAttribute {
        ty,
        optional: true,
        default,
    })
}

fn default_value(expression: &Expression, ty: &Type, constant: ConstantEvaluator<'_>) -> Result<Value, TypeError> {
    let value = constant(expression).map_err(|message| (message, expression.span()))?;
    convert(value, ty).map_err(|message| {
        let message = format!("This default value is not compatible with the attribute's type constraint: {message}.");
        (message, expression.span())
    })
}
