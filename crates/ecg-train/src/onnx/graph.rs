//! Building an ONNX graph: nodes, constants, inputs and outputs. Knows the format, not the networks.

use super::message::{
    AttributeProto, Dimension, DimensionProto, FLOAT, GraphProto, NodeProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto, attribute_type,
};
use crate::network::weights::Weight;

/// Name of the free batch dimension.
const BATCH: &str = "N";

/// A graph under construction.
#[derive(Debug, Default)]
pub(super) struct GraphBuilder {
    graph: GraphProto,
}

impl GraphBuilder {
    pub(super) fn new(name: &str) -> Self {
        Self { graph: GraphProto { name: name.to_owned(), ..GraphProto::default() } }
    }

    /// An input `[N, shape…]` of floats.
    pub(super) fn input(&mut self, name: &str, shape: &[usize]) {
        self.graph.input.push(value_info(name, shape));
    }

    /// An output `[N, shape…]` of floats; some node must write `name`.
    pub(super) fn output(&mut self, name: &str, shape: &[usize]) {
        self.graph.output.push(value_info(name, shape));
    }

    /// A constant.
    pub(super) fn constant(&mut self, name: &str, weight: &Weight) -> String {
        self.graph.initializer.push(TensorProto {
            dims: weight.shape.iter().map(|&size| size as i64).collect(),
            data_type: FLOAT,
            name: name.to_owned(),
            raw_data: weight.values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        });
        name.to_owned()
    }

    /// A node with one output, which has the node's name and is returned.
    pub(super) fn node(&mut self, op: &str, name: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![name.to_owned()],
            name: name.to_owned(),
            op_type: op.to_owned(),
            attribute: attributes,
        });
        name.to_owned()
    }

    pub(super) fn finish(self) -> GraphProto {
        self.graph
    }
}

/// An integer attribute.
pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), i: value, r#type: attribute_type::INT, ..AttributeProto::default() }
}

/// A list of integers as attribute.
pub(super) fn ints(name: &str, values: &[usize]) -> AttributeProto {
    let ints = values.iter().map(|&value| value as i64).collect();
    AttributeProto { name: name.to_owned(), ints, r#type: attribute_type::INTS, ..AttributeProto::default() }
}

fn value_info(name: &str, shape: &[usize]) -> ValueInfoProto {
    let batch = DimensionProto { value: Some(Dimension::Name(BATCH.to_owned())) };
    let fixed = shape.iter().map(|&size| DimensionProto { value: Some(Dimension::Size(size as i64)) });
    let shape = TensorShapeProto { dim: std::iter::once(batch).chain(fixed).collect() };
    let tensor_type = Some(TensorTypeProto { elem_type: FLOAT, shape: Some(shape) });
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type }) }
}
