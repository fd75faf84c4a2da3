//! Weights out of and into a module, by name. Knows burn's traversal; knows no file format.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

/// Values of one parameter, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// Size of each dimension.
    pub shape: Vec<usize>,
    /// `shape.iter().product()` values.
    pub values: Vec<f32>,
}

/// Parameters (and running statistics) by path, as `conv1.weight`.
pub type Weights = BTreeMap<String, Weight>;

/// A parameter that could not be put into a module.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RestoreError {
    /// The module has a parameter that the weights lack.
    #[error("the weights have no `{0}`")]
    Missing(String),
    /// Both have it, in different shapes.
    #[error("`{name}` has shape {found:?}, the network wants {wanted:?}")]
    Shape {
        /// Path of the parameter.
        name: String,
        /// Shape in the weights.
        found: Vec<usize>,
        /// Shape in the network.
        wanted: Vec<usize>,
    },
}

/// Copies everything that `module` holds. Take it from `module.valid()`, which has its running statistics settled.
pub fn collect(module: &impl Module) -> Weights {
    let mut collector = Collector { path: Vec::new(), weights: Weights::new() };
    module.visit(&mut collector);
    collector.weights
}

/// Replaces everything that `module` holds.
///
/// # Errors
/// The first parameter that is missing or has another shape.
pub fn restore<M: Module>(module: M, weights: &Weights) -> Result<M, RestoreError> {
    let mut restorer = Restorer { path: Vec::new(), weights, error: None };
    let module = module.map(&mut restorer);
    match restorer.error {
        Some(error) => Err(error),
        None => Ok(module),
    }
}

struct Collector {
    path: Vec<String>,
    weights: Weights,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let values = floats(tensor.into_data());
        self.weights.insert(self.path.join("."), Weight { shape, values });
    }
}

struct Restorer<'a> {
    path: Vec<String>,
    weights: &'a Weights,
    error: Option<RestoreError>,
}

impl ModuleMapper for Restorer<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        let wanted = param.val().dims().to_vec();
        match self.weights.get(&name) {
            Some(weight) if weight.shape == wanted => param.map(|old| {
                let data = TensorData::new(weight.values.clone(), weight.shape.clone());
                let tracked = old.is_require_grad();
                Tensor::from_data(data, &old.device()).set_require_grad(tracked)
            }),
            found => {
                let error = match found {
                    Some(weight) => RestoreError::Shape { name, found: weight.shape.clone(), wanted },
                    None => RestoreError::Missing(name),
                };
                self.error.get_or_insert(error);
                param
            }
        }
    }
}

/// The values of float data. The networks here are f32 throughout, so that the conversion cannot fail.
pub fn floats(data: TensorData) -> Vec<f32> {
    data.iter::<f32>().collect()
}
