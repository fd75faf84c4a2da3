//! The ONNX graph in tract: checked against the card, optimised for one beat at a time, run on the caller's thread.
//!
//! One beat, shape [1, 1, 175]: tract gains nothing from batches, and a free batch dimension costs a quarter.

use ecg_signal::SEGMENT_SAMPLES;
use tract_onnx::pb;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::knobs::KnobScope;

use super::{Card, EmbedError, ModelError};

/// A runnable network; a clone has a state of its own and shares the weights.
#[derive(Clone)]
pub(super) struct Network {
    state: TypedSimpleState,
    has_logits: bool,
    dimensions: usize,
    classes: usize,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("dimensions", &self.dimensions).field("classes", &self.classes).finish()
    }
}

impl Network {
    pub(super) fn load(onnx: &[u8], card: &Card, file: &str) -> Result<Self, ModelError> {
        let wrong = |problem: String| ModelError::Network { file: file.into(), problem };
        let framework = tract_onnx::onnx();
        let proto =
            framework.proto_model_for_read(&mut &*onnx).map_err(|e| wrong(format!("is no ONNX file: {e:#}")))?;
        let graph = proto.graph.as_ref().ok_or_else(|| wrong("has no graph".into()))?;
        check_input(graph, &card.input.name).map_err(wrong)?;
        let mut outputs = vec![card.output.embedding.as_str()];
        outputs.extend(card.output.logits.as_deref());
        for name in &outputs {
            let known: Vec<&str> = graph.output.iter().map(|o| o.name.as_str()).collect();
            if !known.contains(name) {
                return Err(wrong(format!("has no output `{name}` (it has {})", known.join(", "))));
            }
        }
        let state = build(&framework, &proto, &outputs).map_err(|e| wrong(format!("cannot be run: {e:#}")))?;
        Ok(Self {
            state,
            has_logits: card.output.logits.is_some(),
            dimensions: card.output.dimensions,
            classes: card.output.classes.len(),
        })
    }

    /// Embedding and logits of one beat; their lengths are those of the card.
    pub(super) fn run(&mut self, beat: &[f32; SEGMENT_SAMPLES]) -> Result<(Vec<f32>, Option<Vec<f32>>), EmbedError> {
        let failed = |e: TractError| EmbedError::Failed(format!("{e:#}"));
        let input = Tensor::from_shape(&[1, 1, SEGMENT_SAMPLES], beat).map_err(failed)?;
        let outputs = self.state.run(tvec!(input.into())).map_err(failed)?;
        let values = |i: usize, length: usize| {
            let tensor = outputs.get(i).ok_or_else(|| EmbedError::Failed(format!("output {i} is missing")))?;
            let view = tensor.to_plain_array_view::<f32>().map_err(failed)?;
            if view.len() != length {
                return Err(EmbedError::Failed(format!(
                    "output {i} has {} numbers, the card says {length}",
                    view.len()
                )));
            }
            Ok(view.iter().copied().collect::<Vec<f32>>())
        };
        let logits = if self.has_logits { Some(values(1, self.classes)?) } else { None };
        Ok((values(0, self.dimensions)?, logits))
    }
}

/// Instruction sets that tract shall leave alone, in its own notation. Its 512-bit kernels need a quarter more time for a
/// beat's small matrices than its 256-bit ones where a 512-bit operation is two of 256 bits (ADR 26).
#[cfg(target_arch = "x86_64")]
const LEFT_ALONE: &str = "-avx512f";

/// Taps from which on a convolution gathers its input tile by tile instead of writing it out first: all that have
/// several; tract's own limit is 6 (ADR 26).
const GATHERED_TAPS: &str = "2";

fn build(framework: &tract_onnx::Onnx, proto: &pb::ModelProto, outputs: &[&str]) -> TractResult<TypedSimpleState> {
    // Before tract looks what the processor has, which it does once. The environment variable of this name has precedence.
    #[cfg(target_arch = "x86_64")]
    tract_onnx::tract_core::knobs::set_config_global("TRACT_CPU_ISA", LEFT_ALONE)?;
    let mut model = framework.model_for_proto_model(proto)?;
    model.set_input_fact(0, f32::fact([1, 1, SEGMENT_SAMPLES]).into())?;
    model.select_outputs_by_name(outputs)?;
    let prepared = KnobScope::new([("TRACT_LAZY_IM2COL_MIN_KERNEL", GATHERED_TAPS)])?;
    prepared.enter(|| model.into_optimized())?.into_runnable()?.spawn()
}

/// One input with the card's name, [N, 1, 175].
fn check_input(graph: &pb::GraphProto, name: &str) -> Result<(), String> {
    // Old exporters list the weights among the inputs.
    let is_weight = |n: &str| graph.initializer.iter().any(|w| w.name == n);
    let inputs: Vec<_> = graph.input.iter().filter(|i| !is_weight(&i.name)).collect();
    let [input] = inputs.as_slice() else { return Err(format!("has {} inputs instead of one", inputs.len())) };
    if input.name != name {
        return Err(format!("has the input `{}`, the card says `{name}`", input.name));
    }
    let shape = shape(input);
    let fits = match shape.as_slice() {
        [batch, 1, samples] => batch.abs() <= 1 && *samples == SEGMENT_SAMPLES as i64,
        _ => false,
    };
    if fits { Ok(()) } else { Err(format!("takes input of shape {shape:?} instead of [N, 1, {SEGMENT_SAMPLES}]")) }
}

/// The declared shape; −1 for a free dimension.
fn shape(input: &pb::ValueInfoProto) -> Vec<i64> {
    use pb::tensor_shape_proto::dimension::Value::{DimParam, DimValue};
    use pb::type_proto::Value::TensorType;
    let Some(TensorType(tensor)) = input.r#type.as_ref().and_then(|t| t.value.as_ref()) else { return Vec::new() };
    let dimensions = tensor.shape.iter().flat_map(|s| &s.dim);
    let size = |d: &pb::tensor_shape_proto::Dimension| match &d.value {
        Some(DimValue(n)) => *n,
        Some(DimParam(_)) | None => -1,
    };
    dimensions.map(size).collect()
}
