//! Networks to and from ONNX files. Operator set 17, batch norm unfused (runtimes fold it), a free batch dimension.
//!
//! Input `beat` f32 `[N, 1, 175]`; output `embedding` f32 `[N, 64]` of unit length (the scaling is in the graph), or
//! `[N, 88]` with a linear branch; output `logits` f32 `[N, C]` where the network has classes.

mod graph;
pub mod message;

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use ecg_signal::SEGMENT_SAMPLES;
use prost::Message;

use crate::network::plan::{Operation, Plan, TIME_BINS, bin_matrix};
use crate::network::weights::{RestoreError, Weight, Weights};
use crate::network::{LENGTH_FLOOR, Network, NetworkKind, branch_scales};
use graph::{GraphBuilder, float, int, ints};
use message::{ModelProto, OperatorSetIdProto, StringStringEntryProto};

/// Name of the input.
pub const INPUT: &str = "beat";
/// Name of the embedding output.
pub const EMBEDDING_OUTPUT: &str = "embedding";
/// Name of the class score output.
pub const LOGITS_OUTPUT: &str = "logits";

/// Oldest operator set with everything used here in today's form, and IR version that goes with it.
const OPERATOR_SET: i64 = 17;
const IR_VERSION: i64 = 8;
/// The epsilon of every batch norm.
const BATCH_NORM_EPSILON: f32 = 1e-5;
/// Metadata key under which the kind of network is written, so that it can be read back.
const KIND_KEY: &str = "ecgid.network";

/// Why an ONNX file could not be written or read back.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not protobuf.
    #[error("not an ONNX model: {0}")]
    Decode(#[from] prost::DecodeError),
    /// ONNX, but not written by this crate.
    #[error("not a model of ecg-train: {0}")]
    Foreign(&'static str),
    /// Of this crate, with weights that do not fit.
    #[error("the weights do not fit the network: {0}")]
    Weights(#[from] RestoreError),
}

/// The network as ONNX bytes.
pub fn encode(network: &Network) -> Vec<u8> {
    let weights = network.weights();
    let classes = weights.get("classifier.scores.bias").map(|bias| bias.values.len());
    let mut writer = Writer { graph: GraphBuilder::new("ecgid"), weights: &weights, prefix: "" };
    writer.graph.input(INPUT, &[1, SEGMENT_SAMPLES]);
    let features = writer.plan(&network.kind().plan(), INPUT.to_owned());
    if network.has_branch() {
        let trunk = writer.unit_length(&features, "trunk");
        writer.prefix = "branch.";
        let beat = writer.flatten("branch", INPUT.to_owned());
        let axes = writer.plan(&NetworkKind::branch_plan(), beat);
        let branch = writer.unit_length(&axes, "branch");
        writer.joined([&trunk, &branch]);
    } else {
        let unit = writer.unit_length(&features, "trunk");
        writer.graph.node("Identity", EMBEDDING_OUTPUT, &[&unit], vec![]);
    }
    writer.graph.output(EMBEDDING_OUTPUT, &[network.dimensions()]);
    if let Some(classes) = classes {
        writer.prefix = "classifier.";
        let scores = writer.plan(&NetworkKind::classifier_plan(classes), features);
        writer.graph.node("Identity", LOGITS_OUTPUT, &[&scores], vec![]);
        writer.graph.output(LOGITS_OUTPUT, &[classes]);
    }
    let model = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "ecg-train".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(writer.graph.finish()),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPERATOR_SET }],
        metadata_props: vec![StringStringEntryProto {
            key: KIND_KEY.to_owned(),
            value: network.kind().name().to_owned(),
        }],
    };
    model.encode_to_vec()
}

/// Writes the network to `path`; returns the size in bytes.
///
/// # Errors
/// The file cannot be written.
pub fn write(network: &Network, path: &Path) -> Result<usize, OnnxError> {
    let bytes = encode(network);
    std::fs::write(path, &bytes).map_err(|source| OnnxError::File { path: path.to_owned(), source })?;
    Ok(bytes.len())
}

/// The network of ONNX bytes that [`encode`] made, for inference.
///
/// # Errors
/// Not ONNX, not ours, or weights that do not fit.
pub fn decode(bytes: &[u8], device: &Device) -> Result<Network, OnnxError> {
    let model = ModelProto::decode(bytes)?;
    let kind = model.metadata_props.iter().find(|entry| entry.key == KIND_KEY).map(|entry| entry.value.as_str());
    let kind = match kind {
        Some("lightweight") => NetworkKind::Lightweight,
        Some("binned") => NetworkKind::Binned,
        _ => return Err(OnnxError::Foreign("it does not say which network it is")),
    };
    let graph = model.graph.ok_or(OnnxError::Foreign("it has no graph"))?;
    let weights: Weights = graph
        .initializer
        .into_iter()
        .map(|tensor| {
            let (chunks, _) = tensor.raw_data.as_chunks::<4>();
            let values = chunks.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
            (tensor.name, Weight { shape: tensor.dims.iter().map(|&size| size as usize).collect(), values })
        })
        .collect();
    Ok(Network::with_weights(kind, &weights, device)?)
}

/// The network of an ONNX file that [`write()`] made, for inference.
///
/// # Errors
/// The file cannot be read; otherwise as [`decode`].
pub fn read(path: &Path, device: &Device) -> Result<Network, OnnxError> {
    let bytes = std::fs::read(path).map_err(|source| OnnxError::File { path: path.to_owned(), source })?;
    decode(&bytes, device)
}

/// Turns the operations of a plan into nodes.
struct Writer<'a> {
    graph: GraphBuilder,
    weights: &'a Weights,
    /// Put in front of the names of layers.
    prefix: &'static str,
}

impl Writer<'_> {
    /// Appends the plan after the value `input`; returns the name of its result.
    fn plan(&mut self, plan: &Plan, input: String) -> String {
        let mut value = input;
        let mut kept = String::new();
        for layer in plan.layers() {
            let name = format!("{}{}", self.prefix, layer.name);
            value = match layer.operation {
                Operation::Conv { kernel, stride, padding, bias } => {
                    let mut inputs = vec![value, self.weight(&name, "weight")];
                    if bias {
                        inputs.push(self.weight(&name, "bias"));
                    }
                    let attributes = vec![
                        ints("kernel_shape", &[kernel]),
                        ints("strides", &[stride]),
                        ints("pads", &[padding, padding]),
                    ];
                    self.node("Conv", &name, &inputs, attributes)
                }
                Operation::BatchNorm => {
                    let parts = ["gamma", "beta", "running_mean", "running_var"].map(|part| self.weight(&name, part));
                    let inputs: Vec<String> = std::iter::once(value).chain(parts).collect();
                    self.node("BatchNormalization", &name, &inputs, vec![float("epsilon", BATCH_NORM_EPSILON)])
                }
                Operation::Relu => self.node("Relu", &name, &[value], vec![]),
                Operation::MaxPool2 => {
                    let attributes = vec![ints("kernel_shape", &[2]), ints("strides", &[2])];
                    self.node("MaxPool", &name, &[value], attributes)
                }
                Operation::Keep => {
                    kept.clone_from(&value);
                    value
                }
                Operation::AddKept => self.node("Add", &name, &[value, kept.clone()], vec![]),
                Operation::GlobalAverage => {
                    let average = self.node("GlobalAveragePool", &name, &[value], vec![]);
                    self.flatten(&name, average)
                }
                Operation::TimeBins => {
                    let length = layer.input.1;
                    let matrix = Weight { shape: vec![length, TIME_BINS], values: bin_matrix(length) };
                    let matrix = self.graph.constant(&format!("{name}.matrix"), &matrix);
                    let bins = self.node("MatMul", &name, &[value, matrix], vec![]);
                    self.flatten(&name, bins)
                }
                Operation::Linear => {
                    let inputs = [value, self.weight(&name, "weight"), self.weight(&name, "bias")];
                    self.node("Gemm", &name, &inputs, vec![])
                }
            };
        }
        value
    }

    /// Scales the rows of `value` to unit length; `name` tells the nodes of several apart.
    fn unit_length(&mut self, value: &str, name: &str) -> String {
        let attributes = vec![ints("axes", &[1]), int("keepdims", 1)];
        let length = self.graph.node("ReduceL2", &format!("{name}.length"), &[value], attributes);
        let floor = Weight { shape: vec![1], values: vec![LENGTH_FLOOR] };
        let floor = self.graph.constant(&format!("{name}.length_floor"), &floor);
        let length = self.graph.node("Max", &format!("{name}.length_above_floor"), &[&length, &floor], vec![]);
        self.graph.node("Div", &format!("{name}.unit"), &[value, &length], vec![])
    }

    /// Two unit vectors as one, by their shares, as the output named [`EMBEDDING_OUTPUT`].
    fn joined(&mut self, parts: [&str; 2]) {
        let mut scaled = Vec::new();
        for (part, scale) in parts.into_iter().zip(branch_scales()) {
            let name = format!("{part}.share");
            let scale = self.graph.constant(&format!("{name}.factor"), &Weight { shape: vec![1], values: vec![scale] });
            scaled.push(self.graph.node("Mul", &name, &[part, &scale], vec![]));
        }
        let scaled: Vec<&str> = scaled.iter().map(String::as_str).collect();
        self.graph.node("Concat", EMBEDDING_OUTPUT, &scaled, vec![int("axis", 1)]);
    }

    fn flatten(&mut self, name: &str, value: String) -> String {
        self.node("Flatten", &format!("{name}.flatten"), &[value], vec![int("axis", 1)])
    }

    fn node(&mut self, op: &str, name: &str, inputs: &[String], attributes: Vec<message::AttributeProto>) -> String {
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.graph.node(op, name, &inputs, attributes)
    }

    /// Adds a weight of a layer as a constant. A plan and its module are held together by the tests, so that a
    /// weight without values cannot reach a shipped file: the graph would not load.
    fn weight(&mut self, layer: &str, part: &str) -> String {
        let name = format!("{layer}.{part}");
        match self.weights.get(&name) {
            Some(weight) => self.graph.constant(&name, weight),
            None => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_survives_the_way_through_onnx() {
        let device = Device::flex();
        for (kind, classes) in [(NetworkKind::Lightweight, Some(6)), (NetworkKind::Binned, None)] {
            let network = Network::new(kind, classes, &device);
            let bytes = encode(&network);
            let back = decode(&bytes, &device).expect("just written");
            assert_eq!(back.kind(), kind);
            assert_eq!(back.weights(), network.weights());
            assert!(bytes.len() < 1_000_000);
        }
    }

    #[test]
    fn every_value_a_node_reads_is_written_before_it() {
        let network = Network::new(NetworkKind::Binned, Some(3), &Device::flex());
        let graph = ModelProto::decode(encode(&network).as_slice()).unwrap().graph.unwrap();
        let mut known: std::collections::HashSet<String> = graph.initializer.iter().map(|t| t.name.clone()).collect();
        known.extend(graph.input.iter().map(|input| input.name.clone()));
        for node in graph.node {
            for input in &node.input {
                assert!(known.contains(input), "{} reads {input}", node.name);
            }
            known.extend(node.output);
        }
        assert!(graph.output.iter().all(|output| known.contains(&output.name)));
    }

    #[test]
    fn other_files_are_refused_by_name_of_the_reason() {
        let device = Device::flex();
        assert!(matches!(decode(b"\xff\xff\xff", &device), Err(OnnxError::Decode(_))));
        assert!(matches!(decode(&[], &device), Err(OnnxError::Foreign(_))));
    }
}
