//! The list of networks. Nothing here knows Burn, so a fuzzer can have it alone.

/// Calls the macro `$then` with every network: its file in `networks/` and its type, its name in
/// flags and checkpoints, and one line about it for help texts.
///
/// To add a network, write `networks/<file>.rs` with a type that implements
/// [`Architecture`](super::architecture::Architecture), and add its line here.
macro_rules! for_each_network {
    ($then:ident) => {
        $then! {
            deeppixel::DeepPixel = "deeppixel", "The original project's five convolutions, for 720x720";
            musicnn::Musicnn = "musicnn", "Tall and wide filters, for tagging (Pons and Serra 2019)";
            compact::Compact = "compact", "A small residual network, for any size";
        }
    };
}

pub(crate) use for_each_network;
