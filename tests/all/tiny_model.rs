//! A model small enough to be made by a test: a random projection of the beat, brought to unit length.

use std::path::{Path, PathBuf};

use prost::Message;
use tract_onnx::pb;

/// What the file of a model holds.
pub(crate) struct TinyModel {
    pub(crate) onnx: Vec<u8>,
    pub(crate) card: String,
}

/// Changes to the ordinary tiny model.
pub(crate) struct Recipe {
    pub(crate) input: &'static str,
    pub(crate) samples: i64,
    pub(crate) dimensions: usize,
    /// Length of the embedding.
    pub(crate) length: f32,
    pub(crate) classes: usize,
}

impl Default for Recipe {
    fn default() -> Self {
        Self { input: "beat", samples: 175, dimensions: 64, length: 1.0, classes: 0 }
    }
}

impl Recipe {
    pub(crate) fn build(&self) -> TinyModel {
        let mut nodes = vec![
            node("Flatten", &[self.input], "flat"),
            node("MatMul", &["flat", "weights"], "projected"),
            node("Mul", &["projected", "projected"], "squares"),
            node("ReduceSum", &["squares", "axis"], "sum"),
            node("Sqrt", &["sum"], "norm"),
            node("Div", &["projected", "norm"], "unit"),
            node("Mul", &["unit", "length"], "embedding"),
        ];
        let mut outputs = vec![value("embedding", &[1, self.dimensions as i64])];
        let mut initializers = vec![
            floats(
                "weights",
                &[self.samples, self.dimensions as i64],
                &projection(self.samples as usize, self.dimensions),
            ),
            floats("length", &[1], &[self.length]),
            axis(),
        ];
        if self.classes > 0 {
            nodes.push(node("MatMul", &["embedding", "head"], "logits"));
            outputs.push(value("logits", &[1, self.classes as i64]));
            let head = projection(self.dimensions, self.classes);
            initializers.push(floats("head", &[self.dimensions as i64, self.classes as i64], &head));
        }
        let graph = pb::GraphProto {
            name: "tiny".into(),
            node: nodes,
            initializer: initializers,
            input: vec![value(self.input, &[1, 1, self.samples])],
            output: outputs,
            ..Default::default()
        };
        let opset = pb::OperatorSetIdProto { domain: String::new(), version: 17 };
        let model =
            pb::ModelProto { ir_version: 8, opset_import: vec![opset], graph: Some(graph), ..Default::default() };
        TinyModel { onnx: model.encode_to_vec(), card: self.card() }
    }

    fn card(&self) -> String {
        let classes: Vec<String> = (0..self.classes).map(|i| format!("\"class {i}\"")).collect();
        let logits = if self.classes > 0 {
            format!("logits = \"logits\"\nclasses = [{}]\n", classes.join(", "))
        } else {
            String::new()
        };
        format!(
            "schema = 1\nname = \"tiny\"\n[input]\nname = \"beat\"\nsamples = 175\nr_index = 62\nfs_hz = 250.0\n\
             chain = \"{}\"\nbeats_averaged = 5\nqt_exponent = 0.5\nqt_reference_rr_s = 0.8\nnormalisation = \"zscore\"\n\
             [output]\nembedding = \"embedding\"\ndimensions = {}\n{logits}[network]\nkind = \"projection\"\n\
             parameters = 11200\nmultiply_accumulates = 11200\n[decision]\nthreshold = 0.9\nthreshold_source = \"none\"\n\
             [training]\nseed = 1\n[[training.collections]]\nname = \"ecg-id\"\npersons_seen = [\"Person_01\"]\n\
             persons_held_out = [\"Person_02\", \"Person_05\", \"Person_36\"]\n[[measured]]\nprotocol = \"none\"\n",
            ecg_signal::CHAIN,
            self.dimensions
        )
    }
}

impl TinyModel {
    /// Writes both files; gives the path of the `.onnx`.
    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("tiny.onnx");
        std::fs::write(&path, &self.onnx).unwrap();
        std::fs::write(path.with_extension("toml"), &self.card).unwrap();
        path
    }
}

/// Numbers between −1 and 1 that are the same every time.
fn projection(rows: usize, columns: usize) -> Vec<f32> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..rows * columns).map(|_| next()).collect()
}

fn node(operator: &str, inputs: &[&str], output: &str) -> pb::NodeProto {
    pb::NodeProto {
        op_type: operator.into(),
        name: format!("{operator} {output}"),
        input: inputs.iter().map(|&i| i.into()).collect(),
        output: vec![output.into()],
        ..Default::default()
    }
}

fn floats(name: &str, shape: &[i64], values: &[f32]) -> pb::TensorProto {
    let data_type = pb::tensor_proto::DataType::Float as i32;
    pb::TensorProto {
        name: name.into(),
        dims: shape.to_vec(),
        data_type,
        float_data: values.to_vec(),
        ..Default::default()
    }
}

/// The axis along which squares are summed.
fn axis() -> pb::TensorProto {
    let data_type = pb::tensor_proto::DataType::Int64 as i32;
    pb::TensorProto { name: "axis".into(), dims: vec![1], data_type, int64_data: vec![1], ..Default::default() }
}

fn value(name: &str, shape: &[i64]) -> pb::ValueInfoProto {
    use pb::tensor_shape_proto::{Dimension, dimension::Value::DimValue};
    let dim = shape.iter().map(|&n| Dimension { value: Some(DimValue(n)), ..Default::default() }).collect();
    let tensor = pb::type_proto::Tensor {
        elem_type: pb::tensor_proto::DataType::Float as i32,
        shape: Some(pb::TensorShapeProto { dim }),
    };
    let value = Some(pb::type_proto::Value::TensorType(tensor));
    pb::ValueInfoProto {
        name: name.into(),
        r#type: Some(pb::TypeProto { value, ..Default::default() }),
        ..Default::default()
    }
}
