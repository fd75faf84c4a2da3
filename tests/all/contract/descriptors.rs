//! The `.proto` file, taken apart: its messages with their fields, its enums with their values, each with its comment.

use std::collections::BTreeMap;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

use super::below;

pub(super) struct Contract {
    file: FileDescriptorProto,
    /// Comments by the path of numbers that descriptors give to what they describe.
    comments: BTreeMap<Vec<i32>, String>,
}

pub(super) struct Field {
    pub(super) name: String,
    pub(super) number: i32,
    pub(super) comment: String,
    pub(super) kind: Kind,
    pub(super) optional: bool,
    pub(super) repeated: bool,
}

pub(super) enum Kind {
    Bool,
    Bytes,
    Double,
    Text,
    Unsigned,
    Enum(String),
    Message(String),
}

impl Contract {
    pub(super) fn read() -> Self {
        let root = below("proto");
        let mut compiler = protox::Compiler::new([&root]).unwrap();
        compiler.include_source_info(true).open_file(root.join("ecgid/v1/events.proto")).unwrap();
        let file = compiler.file_descriptor_set().file.pop().unwrap();
        let locations = file.source_code_info.clone().unwrap().location;
        let comments =
            locations.into_iter().map(|location| (location.path, words(location.leading_comments.as_deref())));
        Self { comments: comments.collect(), file }
    }

    pub(super) fn messages(&self) -> Vec<&str> {
        self.file.message_type.iter().map(DescriptorProto::name).collect()
    }

    /// The comment of a message and its fields.
    pub(super) fn message(&self, name: &str) -> (String, Vec<Field>) {
        let (at, message) = self.file.message_type.iter().enumerate().find(|(_, m)| m.name() == name).unwrap();
        let path = vec![4, i32::try_from(at).unwrap()];
        let comment = |index: usize| [&path[..], &[2, i32::try_from(index).unwrap()]].concat();
        let fields = message.field.iter().enumerate().map(|(n, f)| field(f, self.comments[&comment(n)].clone()));
        (self.comments[&path].clone(), fields.collect())
    }

    pub(super) fn enums(&self) -> Vec<&str> {
        self.file.enum_type.iter().map(prost_types::EnumDescriptorProto::name).collect()
    }

    /// Values with their numbers, the first one (never sent) included.
    pub(super) fn values(&self, name: &str) -> Vec<(String, i32)> {
        let found = self.file.enum_type.iter().find(|e| e.name() == name).unwrap();
        found.value.iter().map(|value| (value.name().to_owned(), value.number())).collect()
    }
}

fn field(field: &FieldDescriptorProto, comment: String) -> Field {
    let type_name = || field.type_name().rsplit('.').next().unwrap().to_owned();
    let kind = match field.r#type() {
        Type::Bool => Kind::Bool,
        Type::Bytes => Kind::Bytes,
        Type::Double => Kind::Double,
        Type::String => Kind::Text,
        Type::Uint32 | Type::Uint64 => Kind::Unsigned,
        Type::Enum => Kind::Enum(type_name()),
        Type::Message => Kind::Message(type_name()),
        other => panic!("{}: {other:?} has no place in a schema yet", field.name()),
    };
    Field {
        name: field.name().to_owned(),
        number: field.number(),
        comment,
        optional: field.proto3_optional() || matches!(kind, Kind::Message(_)),
        kind,
        repeated: field.label() == Label::Repeated,
    }
}

/// A comment in one line.
fn words(comment: Option<&str>) -> String {
    comment.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}
