//! The network that a run starts from: fresh weights, or those of a trained model.

use burn::tensor::Device;

use super::{TrainError, TrainSettings};
use crate::frontend::config::FrontEndConfig;
use crate::gpu::Compute;
use crate::inference::BatchLimit;
use crate::model::{Checkpoint, Filters, ModelName, Network, NetworkSpec};

/// What a run starts from.
pub(super) struct Start {
    pub(super) spec: NetworkSpec,
    /// On the CPU.
    pub(super) network: Network,
    /// The license of the model that the weights come from.
    pub(super) license: Option<String>,
    /// Whether the network is a trained model with a last layer of random weights.
    pub(super) has_new_head: bool,
}

impl Start {
    /// Makes the network with fresh weights, or loads the model that the settings name.
    pub(super) fn new(settings: &TrainSettings, classes: &[String]) -> Result<Self, TrainError> {
        let spec = settings.network_spec(classes.len());
        spec.check()?;
        let Some(model) = settings.initial_model()? else {
            let network = Network::new(&spec, settings.seed, &Device::flex())?;
            return Ok(Self {
                spec,
                network,
                license: None,
                has_new_head: false,
            });
        };
        let of_model = NetworkSpec {
            filters: spec.filters,
            classes: spec.classes,
            ..model.header.network
        };
        if of_model.scaling_weights() != spec.scaling_weights() {
            let name = settings.transfer.init.clone();
            return Err(TrainError::InitChanged(name.unwrap_or_default()));
        }
        let has_new_head = model.header.classes != classes;
        let network = match has_new_head {
            false => model.network,
            true => model.network.with_new_head(&spec, settings.seed),
        };
        Ok(Self {
            spec,
            network: network.for_fine_tuning(),
            license: model.header.license,
            has_new_head,
        })
    }
}

impl TrainSettings {
    /// Takes the network and the front end of `model`, from which the run is to start. Its last
    /// layer is kept if its classes are `classes`.
    pub fn start_from(&mut self, model: &Checkpoint, classes: &[String]) {
        let header = &model.header;
        let spec = match header.classes == classes {
            true => header.network,
            false => header.network.with_new_head(classes.len()),
        };
        self.network = spec.kind;
        self.front_end = header.front_end.clone();
        self.transfer.filters = spec.filters;
        self.transfer.init_fingerprint = Some(model.fingerprint.clone());
    }

    /// Checks that `compute` can take a batch for a network of `classes` classes.
    ///
    /// # Errors
    /// [`TrainError::BatchTooLarge`].
    pub fn check_batch(&self, compute: &Compute, classes: usize) -> Result<(), TrainError> {
        let network = self.network_spec(classes);
        let pass = network.kind.training_pass(self.transfer.init.is_some());
        let limit = BatchLimit::new(compute, &network, pass, false);
        Ok(limit.check(self.batch)?)
    }

    /// Returns the spec of the network for `classes` classes.
    pub fn network_spec(&self, classes: usize) -> NetworkSpec {
        NetworkSpec {
            filters: self.transfer.filters,
            ..NetworkSpec::new(self.network, classes, &self.front_end)
        }
    }

    /// Loads the model that the run starts from, if any, on the `cpu` device.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] if it cannot be read, and [`TrainError::InitChanged`] if it is no
    /// longer what the settings were made for.
    fn initial_model(&self) -> Result<Option<Checkpoint>, TrainError> {
        let Some(name) = &self.transfer.init else {
            return Ok(None);
        };
        let model = Checkpoint::open(ModelName::from(name.as_str()), &Device::flex())?;
        let header = &model.header;
        let same_file = (self.transfer.init_fingerprint.as_ref())
            .is_none_or(|fingerprint| *fingerprint == model.fingerprint);
        let of_any_length = |config: &FrontEndConfig| FrontEndConfig {
            clip_samples: 0,
            ..config.clone()
        };
        let trunk = |filters: Option<Filters>| Filters {
            pooled_head: false,
            ..filters.unwrap_or_default()
        };
        let same_network = header.network.kind == self.network
            && trunk(header.network.filters) == trunk(self.transfer.filters)
            && of_any_length(&header.front_end) == of_any_length(&self.front_end);
        if !same_file || !same_network {
            return Err(TrainError::InitChanged(name.clone()));
        }
        Ok(Some(model))
    }
}
