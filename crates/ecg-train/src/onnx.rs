//! Networks to and from ONNX files. Operator set 17, a free batch dimension, in the form that tract runs fastest (ADR 26):
//! batch norms and the residual addition are in the weights, margins instead of padding.
//!
//! Input `beat` f32 `[N, 1, 175]`; output `embedding` f32 `[N, 64]` of unit length (the scaling is in the graph), or
//! `[N, 88]` with a linear branch; output `logits` f32 `[N, C]` where the network has classes.

mod folding;
mod graph;
mod margins;
pub mod message;

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use ecg_signal::SEGMENT_SAMPLES;
use prost::Message;
use ring::digest::{SHA256, digest};

use crate::network::plan::{Operation, Plan, TIME_BINS, bin_matrix};
use crate::network::weights::{RestoreError, Weight, Weights};
use crate::network::{AXES, EMBEDDING, LENGTH_FLOOR, Network, NetworkKind, branch_scales};
use graph::{GraphBuilder, int, ints};
use margins::Extent;
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

/// Name of the constant with the lengths of the embedding's parts.
const SHARES: &str = "shares";

/// The network as ONNX bytes.
pub fn encode(network: &Network) -> Vec<u8> {
    let weights = folding::fold(&network.kind().plan(), &network.weights());
    let classes = weights.get("classifier.scores.bias").map(|bias| bias.values.len());
    let mut writer = Writer { graph: GraphBuilder::new("ecgid"), weights: &weights, prefix: "" };
    writer.graph.input(INPUT, &[1, SEGMENT_SAMPLES]);
    let features = writer.plan(&network.kind().plan(), INPUT.to_owned());
    if network.has_branch() {
        writer.prefix = "branch.";
        let beat = writer.flatten("branch", INPUT.to_owned());
        let axes = writer.plan(&NetworkKind::branch_plan(), beat);
        writer.embedding(&[(&features, EMBEDDING, "trunk"), (&axes, AXES, "branch")], &branch_scales());
    } else {
        writer.embedding(&[(&features, EMBEDDING, "trunk")], &[1.0]);
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

/// SHA-256 of an ONNX file, in hexadecimal as `sha256sum` prints it: by this a card knows its network.
pub fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
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
    let mut weights: Weights = graph
        .initializer
        .into_iter()
        .map(|tensor| {
            let (chunks, _) = tensor.raw_data.as_chunks::<4>();
            let values = chunks.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
            (tensor.name, Weight { shape: tensor.dims.iter().map(|&size| size as usize).collect(), values })
        })
        .collect();
    folding::unfold(&kind.plan(), &mut weights);
    let network = Network::with_weights(kind, &weights, device)?;
    let [trunk, branch] = branch_scales();
    let today = [factors(EMBEDDING, trunk), factors(AXES, branch)].concat();
    if network.has_branch() && weights.get(SHARES).is_none_or(|shares| shares.values != today) {
        return Err(OnnxError::Foreign("its linear branch has another share than this program gives it: train again"));
    }
    Ok(network)
}

/// What brings a part of the embedding, whose root mean square is one and whose length therefore √width, to the length
/// `share`.
fn factors(width: usize, share: f32) -> Vec<f32> {
    vec![share / (width as f32).sqrt(); width]
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
        let mut given = plan.layers().first().map_or((0, 0), |layer| (0, layer.input.1 as isize));
        for (layer, extent) in plan.layers().iter().zip(margins::extents(plan)) {
            let name = format!("{}{}", self.prefix, layer.name);
            value = match layer.operation {
                Operation::Conv { kernel, stride, .. } => {
                    let read = margins::read(layer.operation, extent);
                    let mut inputs = vec![self.masked(value, &name, given, layer.input.1)];
                    inputs.push(self.weight(&name, "weight"));
                    if self.weights.contains_key(&format!("{name}.bias")) {
                        inputs.push(self.weight(&name, "bias"));
                    }
                    let pads = [given.0 - read.0, read.1 - given.1].map(isize::unsigned_abs);
                    let attributes =
                        vec![ints("kernel_shape", &[kernel]), ints("strides", &[stride]), ints("pads", &pads)];
                    self.node("Conv", &name, &inputs, attributes)
                }
                // Folded into the convolution in front of them.
                Operation::BatchNorm | Operation::Keep | Operation::AddKept => value,
                Operation::Relu => self.node("Relu", &name, &[value], vec![]),
                Operation::MaxPool2 => {
                    let attributes = vec![ints("kernel_shape", &[2]), ints("strides", &[2])];
                    self.node("MaxPool", &name, &[value], attributes)
                }
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
            given = extent;
        }
        value
    }

    /// `value` with zeros in the margins of `extent`, for the layer `name` to read; `length` samples are no margin.
    fn masked(&mut self, value: String, name: &str, extent: Extent, length: usize) -> String {
        let Some(values) = margins::mask(extent, length) else { return value };
        let mask = self.graph.constant(&format!("{name}.margins"), &Weight { shape: vec![values.len()], values });
        self.node("Mul", &format!("{name}.masked"), &[value, mask], vec![])
    }

    /// Divides the rows of `value` by their root mean square; `name` tells the nodes of several apart. In this form,
    /// and not as a division by the length, since tract runs these nodes as one.
    fn even(&mut self, value: &str, width: usize, name: &str) -> String {
        let squares = self.graph.node("Mul", &format!("{name}.squares"), &[value, value], vec![]);
        let attributes = vec![ints("axes", &[1]), int("keepdims", 1)];
        let mean = self.graph.node("ReduceMean", &format!("{name}.mean_square"), &[&squares], attributes);
        let floor = Weight { shape: vec![1], values: vec![LENGTH_FLOOR * LENGTH_FLOOR / width as f32] };
        let floor = self.graph.constant(&format!("{name}.floor"), &floor);
        let floored = self.graph.node("Add", &format!("{name}.mean_square_above_floor"), &[&mean, &floor], vec![]);
        let root = self.graph.node("Sqrt", &format!("{name}.root_mean_square"), &[&floored], vec![]);
        let factor = self.graph.node("Reciprocal", &format!("{name}.factor"), &[&root], vec![]);
        self.graph.node("Mul", &format!("{name}.even"), &[value, &factor], vec![])
    }

    /// The output named [`EMBEDDING_OUTPUT`]: each of `parts` (value, width, name) at the length of its share, side by
    /// side. One product scales them all.
    fn embedding(&mut self, parts: &[(&str, usize, &str)], shares: &[f32]) {
        let even: Vec<String> = parts.iter().map(|&(value, width, name)| self.even(value, width, name)).collect();
        let lengths = parts.iter().zip(shares);
        let factors = lengths.flat_map(|(&(_, width, _), &share)| factors(width, share)).collect();
        let even: Vec<&str> = even.iter().map(String::as_str).collect();
        let joined = match even.as_slice() {
            [one] => (*one).to_owned(),
            several => self.graph.node("Concat", "joined", several, vec![int("axis", 1)]),
        };
        let factors = Weight { shape: vec![parts.iter().map(|part| part.1).sum()], values: factors };
        let factors = self.graph.constant(SHARES, &factors);
        self.graph.node("Mul", EMBEDDING_OUTPUT, &[&joined, &factors], vec![]);
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
    use burn::tensor::{Distribution, Tensor};

    use super::*;
    use crate::network::weights::floats;

    /// A network whose batch norms do something, as after training.
    fn trained(kind: NetworkKind, classes: Option<usize>, device: &Device) -> Network {
        let mut weights = Network::new(kind, classes, device).weights();
        for (name, weight) in &mut weights {
            let (offset, step) = match name.rsplit_once('.') {
                Some((_, "gamma" | "running_var")) => (0.5, 0.1),
                Some((_, "beta" | "running_mean")) => (-0.3, 0.1),
                _ => continue,
            };
            weight.values.iter_mut().enumerate().for_each(|(i, value)| *value = offset + step * (i % 7) as f32);
        }
        Network::with_weights(kind, &weights, device).expect("its own weights fit")
    }

    #[test]
    fn a_network_survives_the_way_through_onnx() {
        let device = Device::flex();
        for (kind, classes) in [(NetworkKind::Lightweight, Some(6)), (NetworkKind::Binned, None)] {
            let network = trained(kind, classes, &device);
            let bytes = encode(&network);
            assert!(bytes.len() < 1_000_000);
            let back = decode(&bytes, &device).expect("just written");
            assert_eq!(back.kind(), kind);
            assert!(encode(&back) == bytes, "{} changes when it is written again", kind.name());
            let beats = Tensor::<3>::random([3, 1, 175], Distribution::Normal(0.0, 1.0), &device);
            let (before, after) = (network.forward(beats.clone()), back.forward(beats));
            let pairs = [(Some(before.embedding), Some(after.embedding)), (before.logits, after.logits)];
            for (before, after) in pairs.into_iter().filter_map(|(before, after)| before.zip(after)) {
                let (before, after) = (floats(before.into_data()), floats(after.into_data()));
                assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-5));
            }
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
    fn a_branch_of_another_share_is_not_read_as_if_it_had_todays() {
        let device = Device::flex();
        let values = |count: usize| (0..count).map(|i| i as f32 / 5000.0).collect();
        let branch = Weights::from([
            ("axes.weight".to_owned(), Weight { shape: vec![SEGMENT_SAMPLES, AXES], values: values(4200) }),
            ("axes.bias".to_owned(), Weight { shape: vec![AXES], values: values(AXES) }),
        ]);
        let network = trained(NetworkKind::Binned, None, &device).with_branch(&branch).expect("the shapes fit");
        let bytes = encode(&network);
        assert!(decode(&bytes, &device).expect("just written").has_branch());
        let mut other = ModelProto::decode(bytes.as_slice()).unwrap();
        let constants = &mut other.graph.as_mut().unwrap().initializer;
        let shares = constants.iter_mut().find(|constant| constant.name == SHARES).unwrap();
        shares.raw_data[..4].copy_from_slice(&0.5_f32.to_le_bytes());
        assert!(matches!(decode(&other.encode_to_vec(), &device), Err(OnnxError::Foreign(_))));
    }

    #[test]
    fn other_files_are_refused_by_name_of_the_reason() {
        let device = Device::flex();
        assert!(matches!(decode(b"\xff\xff\xff", &device), Err(OnnxError::Decode(_))));
        assert!(matches!(decode(&[], &device), Err(OnnxError::Foreign(_))));
    }
}
