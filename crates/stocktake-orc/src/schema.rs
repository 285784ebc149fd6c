//! The columns of a file: a struct of named, primitive columns, as ORC spells it.

use crate::{error::OrcError, proto};
use arrow_schema::{DataType, Schema};
use std::{collections::HashSet, fmt};

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnType {
    /// True or false.
    Boolean,
    /// 8 bits, signed.
    TinyInt,
    /// 16 bits, signed.
    SmallInt,
    /// 32 bits, signed.
    Int,
    /// 64 bits, signed.
    BigInt,
    /// 32-bit floating point.
    Float,
    /// 64-bit floating point.
    Double,
    /// UTF-8 text.
    String,
    /// Bytes.
    Binary,
    /// Days since 1970-01-01, in the Gregorian calendar throughout.
    Date,
    /// A wall clock's time without a zone, in nanoseconds.
    Timestamp,
    /// An instant, in nanoseconds.
    TimestampInstant,
}

impl ColumnType {
    /// The type for values of an Arrow type, if ORC has one: a time without a zone is a [`ColumnType::Timestamp`], one with
    /// any zone a [`ColumnType::TimestampInstant`]; a dictionary has the type of its values.
    pub fn from_arrow(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => Self::TinyInt,
            DataType::Int16 => Self::SmallInt,
            DataType::Int32 => Self::Int,
            DataType::Int64 => Self::BigInt,
            DataType::Float32 => Self::Float,
            DataType::Float64 => Self::Double,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::String,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Self::Binary,
            DataType::Date32 => Self::Date,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::TimestampInstant,
            DataType::Dictionary(key, value)
                if matches!(**key, DataType::UInt16 | DataType::UInt32 | DataType::Int32)
                    && matches!(**value, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) =>
            {
                Self::String
            }
            _ => return None,
        })
    }

    /// The type's name in a schema text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::TinyInt => "tinyint",
            Self::SmallInt => "smallint",
            Self::Int => "int",
            Self::BigInt => "bigint",
            Self::Float => "float",
            Self::Double => "double",
            Self::String => "string",
            Self::Binary => "binary",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::TimestampInstant => "timestamp with local time zone",
        }
    }

    pub(crate) fn kind(self) -> proto::r#type::Kind {
        use proto::r#type::Kind;
        match self {
            Self::Boolean => Kind::Boolean,
            Self::TinyInt => Kind::Byte,
            Self::SmallInt => Kind::Short,
            Self::Int => Kind::Int,
            Self::BigInt => Kind::Long,
            Self::Float => Kind::Float,
            Self::Double => Kind::Double,
            Self::String => Kind::String,
            Self::Binary => Kind::Binary,
            Self::Date => Kind::Date,
            Self::Timestamp => Kind::Timestamp,
            Self::TimestampInstant => Kind::TimestampInstant,
        }
    }
}

/// The columns of a file, in order. Its text is ORC's: `struct<key:string,size:bigint>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrcSchema {
    columns: Vec<(String, ColumnType)>,
}

impl OrcSchema {
    /// A schema of these columns.
    ///
    /// # Errors
    /// If a name is empty or stands twice, or there are too many columns.
    pub fn try_new(columns: Vec<(String, ColumnType)>) -> Result<Self, OrcError> {
        let mut names = HashSet::with_capacity(columns.len());
        for (name, _) in &columns {
            if name.is_empty() {
                return Err(OrcError::invalid("a column has no name"));
            }
            if !names.insert(name.as_str()) {
                return Err(OrcError::invalid("the name stands twice").in_column(name));
            }
        }
        if columns.len() > COLUMNS_MAX {
            return Err(OrcError::limit(format!("a schema has at most {COLUMNS_MAX} columns")));
        }
        Ok(Self { columns })
    }

    /// The schema of record batches with an Arrow schema.
    ///
    /// # Errors
    /// If a column has a type that this crate does not write; as [`OrcSchema::try_new`].
    pub fn from_arrow(schema: &Schema) -> Result<Self, OrcError> {
        let columns = schema.fields().iter().map(|field| {
            let column_type = ColumnType::from_arrow(field.data_type()).ok_or_else(|| {
                OrcError::invalid(format!("type {} is not written", field.data_type())).in_column(field.name())
            })?;
            Ok((field.name().clone(), column_type))
        });
        Self::try_new(columns.collect::<Result<_, OrcError>>()?)
    }

    /// Names and types of the columns.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = (&str, ColumnType)> {
        self.columns.iter().map(|(name, column_type)| (name.as_str(), *column_type))
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is no column.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|(of, _)| of == name)
    }

    /// Types in the order of column numbers: the struct is number 0.
    pub(crate) fn types(&self) -> Vec<proto::Type> {
        let numbers = (1u32..).zip(&self.columns).map(|(number, _)| number);
        let root = proto::Type {
            kind: Some(proto::r#type::Kind::Struct.into()),
            subtypes: numbers.collect(),
            field_names: self.columns.iter().map(|(name, _)| name.clone()).collect(),
        };
        let columns = self.columns.iter().map(|(_, column_type)| proto::Type {
            kind: Some(column_type.kind().into()),
            subtypes: Vec::new(),
            field_names: Vec::new(),
        });
        std::iter::once(root).chain(columns).collect()
    }
}

/// Far more than tables have, far less than would make a footer too long for readers.
const COLUMNS_MAX: usize = 1 << 16;

impl fmt::Display for OrcSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct<")?;
        for (index, (name, column_type)) in self.columns.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{name}:{}", column_type.name())?;
        }
        f.write_str(">")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_schema::{Field, TimeUnit};

    #[test]
    fn arrow_types_have_orc_names() {
        let fields = vec![
            Field::new("a", DataType::Utf8View, true),
            Field::new("b", DataType::Int8, true),
            Field::new("c", DataType::Timestamp(TimeUnit::Second, None), true),
            Field::new("d", DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), true),
        ];
        let schema = OrcSchema::from_arrow(&Schema::new(fields)).unwrap();
        assert_eq!(schema.to_string(), "struct<a:string,b:tinyint,c:timestamp,d:string>");
    }

    #[test]
    fn what_orc_does_not_have_is_refused() {
        let unsigned = Schema::new(vec![Field::new("n", DataType::UInt64, true)]);
        assert_eq!(
            OrcSchema::from_arrow(&unsigned).unwrap_err().to_string(),
            "column \"n\": type UInt64 is not written"
        );
        let twice = vec![("a".to_owned(), ColumnType::Int), ("a".to_owned(), ColumnType::Int)];
        assert!(OrcSchema::try_new(twice).is_err());
    }
}
