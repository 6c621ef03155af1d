#![no_main]
#[path = "../oracles.rs"]
#[allow(dead_code)] // Each target takes one of them.
mod oracles;

// What a third-party decoder does not take it may refuse by a panic: `analyzer::picture` fences each of them in and counts
// it. The fuzzer's own hook, which ends the process, is for all others.
libfuzzer_sys::fuzz_target!(
    init: {
        let ends = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_fenced = panic.location().is_some_and(|place| place.file().contains("/ironrdp-"));
            if !is_fenced {
                ends(panic);
            }
        }));
    },
    |data: &[u8]| oracles::picture(data)
);
