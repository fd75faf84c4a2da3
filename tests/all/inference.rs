//! Models and cards: what is accepted, what is refused, and what the refusal says.

use ecg_identity::{Amplitude, Cohort, CohortRule, cosine};
use ecg_signal::{ModelInput, PreparedBeat};
use ecgid::inference::{EmbedError, Model, ModelError};
use ecgid::pipeline::infer::Embedder;

use crate::recordings::ecgid;
use crate::tiny_model::{Recipe, TinyModel};

fn load(model: &TinyModel) -> Result<Model, ModelError> {
    Model::from_parts(&model.onnx, &model.card, Vec::new(), "tiny.onnx")
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The refusal of an ordinary model whose card has been changed.
fn refused(from: &str, to: &str) -> String {
    let mut model = Recipe::default().build();
    assert!(model.card.contains(from), "{from}");
    model.card = model.card.replace(from, to);
    load(&model).unwrap_err().to_string()
}

fn beat(shift: f32) -> PreparedBeat {
    let values = std::array::from_fn(|i| (-((i as f32 - 62.0 - shift) / 4.0).powi(2)).exp() * 5.0 - 0.4);
    PreparedBeat { values, amplitude_mv: 0.2 }
}

#[test]
fn a_model_gives_unit_embeddings_that_depend_on_the_beat_alone() {
    let mut model = load(&Recipe::default().build()).unwrap();
    let first = model.embed_beat(&beat(0.0)).unwrap();
    assert_eq!((first.values.len(), first.logits.is_none()), (64, true));
    model.embed_beat(&beat(20.0)).unwrap();
    assert_eq!(model.embed_beat(&beat(0.0)).unwrap(), first);
    let mut other = model.clone();
    let elsewhere = std::thread::spawn(move || other.embed_beat(&beat(0.0)).unwrap()).join().unwrap();
    assert_eq!(elsewhere, first);
    assert!(cosine(&first.values, &model.embed_beat(&beat(20.0)).unwrap().values) < 0.9);
}

#[test]
fn the_size_of_the_beat_is_a_part_of_the_embedding_where_the_card_says_so() {
    let plain = Recipe::default().build();
    let with = |share: &str| {
        let part = format!("[amplitude]\nshare = {share}\nradians_per_e_fold = 1.5\nreference_mv = 0.2\n\n[decision]");
        TinyModel { card: plain.card.replace("[decision]", &part), onnx: plain.onnx.clone() }
    };
    let mut model = load(&with("0.2")).unwrap();
    let sized = |amplitude_mv| PreparedBeat { amplitude_mv, ..beat(0.0) };
    let usual = model.embed_beat(&sized(0.2)).unwrap().values;
    assert_eq!((usual.len(), model.card().embedding_length()), (66, 66));
    let double = model.embed_beat(&sized(0.4)).unwrap().values;
    let expected = 0.8 + 0.2 * (1.5 * 2.0_f64.ln()).cos();
    assert!((cosine(&usual, &double) - expected).abs() < 1e-5, "{}", cosine(&usual, &double));
    // Templates with another share, or without, are another model's.
    let ids = [load(&plain).unwrap(), load(&with("0.1")).unwrap(), model].map(|model| model.id().to_owned());
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    assert!(load(&with("1.0")).unwrap_err().to_string().contains("share 0 to below 1"));
    let unknown = with("0.2\nphase = 1");
    assert!(load(&unknown).unwrap_err().to_string().contains("phase"));
}

#[test]
fn class_scores_come_along_where_the_card_names_them() {
    let mut model = load(&Recipe { classes: 6, ..Recipe::default() }.build()).unwrap();
    assert_eq!(model.embed_beat(&beat(0.0)).unwrap().logits.unwrap().len(), 6);
    assert_eq!(model.card().output.classes.len(), 6);
}

#[test]
fn a_closed_set_model_brings_its_classes_as_references_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = Recipe { classes: 2, ..Recipe::default() }.build().write(folder.path());
    let refusal = || Model::load(&path).unwrap_err().to_string();
    assert!(refusal().contains("tiny.onnx") && refusal().contains("NAME.references.toml"), "{}", refusal());
    let write = |model: &str, classes: &[&str]| {
        let mut text = format!("schema = 1\nmodel = \"{model}\"\n");
        for (number, class) in classes.iter().enumerate() {
            let embedding: Vec<f32> = (0..64).map(|i| if i == number { 2.0 } else { 0.0 }).collect();
            text += &format!("[[references]]\nclass = \"{class}\"\nembedding = {embedding:?}\n");
        }
        std::fs::write(path.with_extension("references.toml"), text).unwrap();
    };
    write("other", &["class 0", "class 1"]);
    assert!(refusal().contains("model `other`"), "{}", refusal());
    write("tiny", &["class 0"]);
    assert!(refusal().contains("class `class 1`"), "{}", refusal());
    write("tiny", &["class 1", "class 0"]);
    let mut model = Model::load(&path).unwrap();
    let references = model.class_references();
    let subjects: Vec<_> = references.iter().map(|class| class.reference.subject.as_str()).collect();
    assert_eq!(subjects, ["class_0", "class_1"]);
    assert_eq!(
        (references[0].reference.template.embedding[1], references[1].reference.template.embedding[0]),
        (1.0, 1.0)
    );
    assert!(references[0].front_ends.is_empty(), "a file of the first layout does not say where it is from");
    let said = model.clone().with_class_front_ends(&["cwxs-bin".to_owned()]).class_references();
    assert!(said.iter().all(|class| class.front_ends == ["cwxs-bin"]));
    let text = std::fs::read_to_string(path.with_extension("references.toml")).unwrap();
    let text =
        text.replace("schema = 1", "schema = 2").replace("embedding =", "front_ends = [\"record/500Hz\"]\nembedding =");
    std::fs::write(path.with_extension("references.toml"), &text).unwrap();
    assert_eq!(Model::load(&path).unwrap().class_references()[1].front_ends, ["record/500Hz"]);
    let config = folder.path().join("ecgid.toml");
    let checked = |front_ends: &str| {
        let database = folder.path().join("gallery.sqlite");
        let model = format!("[model]\npath = \"{}\"\nclass_front_ends = {front_ends}\n", path.display());
        std::fs::write(&config, format!("{model}[store]\npath = \"{}\"\n", database.display())).unwrap();
        String::from_utf8(ecgid(&["check", "--config", config.to_str().unwrap()]).stdout).unwrap()
    };
    let said = checked("[]");
    assert!(said.contains("its 2 classes are compared on record/500Hz and on no other front end"), "{said}");
    let said = checked("[\"cwxs-bin/250Hz\"]");
    assert!(said.contains("compared on cwxs-bin/250Hz, record/500Hz and on no other"), "{said}");
    std::fs::write(path.with_extension("references.toml"), text.replace("schema = 2", "schema = 3")).unwrap();
    assert!(refusal().contains("schema 3 (this program reads 1 to 2)"), "{}", refusal());
    // The class of a beat is that of its highest score, and there is none before the first beat.
    assert_eq!(model.class(), None);
    let input = ModelInput { beat: beat(0.0), r_peak: 0.0, beats: 1 };
    let logits = model.embed(&input).unwrap().logits.unwrap();
    Embedder::embed(&mut model, &input).unwrap();
    let expected = if logits[1] > logits[0] { "class_1" } else { "class_0" };
    assert_eq!(model.class().as_deref(), Some(expected));
}

#[test]
fn a_card_of_another_signal_path_is_refused_with_both_values() {
    let text = refused("ecgid-chain-2", "ecgid-chain-0");
    assert!(text.contains("input.chain = ecgid-chain-0") && text.contains("ecgid-chain-2"), "{text}");
    assert!(refused("r_index = 62", "r_index = 60").contains("input.r_index = 60"));
    assert!(refused("r_index = 62", "r_index = 62\naligned_by = \"t\"").contains("qrs-middle"));
    assert!(refused("fs_hz = 250.0", "fs_hz = 500.0").contains("input.fs_hz = 500"));
    assert!(refused("samples = 175", "samples = 174").contains("input.samples = 174"));
    assert!(refused("\"zscore\"", "\"minmax\"").contains("minmax"));
}

#[test]
fn a_card_that_cannot_be_read_says_where() {
    assert!(refused("schema = 1", "schema = 2").contains("schema 2"));
    assert!(refused("r_index = 62", "r_index = 62\nsecret = 1").contains("secret"));
    assert!(refused("threshold = 0.9", "threshold = 9.0").contains("no cosine"));
    assert!(refused("threshold = 0.9", "").contains("threshold"));
    assert!(refused("beats_averaged = 5", "beats_averaged = 0").contains("beats_averaged 0"));
}

#[test]
fn an_onnx_file_that_is_not_what_the_card_says_is_refused() {
    let renamed = Recipe { input: "heart", ..Recipe::default() }.build();
    assert!(load(&renamed).unwrap_err().to_string().contains("input `heart`"));
    let short = Recipe { samples: 174, ..Recipe::default() }.build();
    assert!(load(&short).unwrap_err().to_string().contains("[1, 1, 174] instead of [N, 1, 175]"));
    assert!(refused("embedding = \"embedding\"", "embedding = \"code\"").contains("no output `code`"));
    assert!(refused("dimensions = 64", "dimensions = 32").contains("has 64 numbers, the card says 32"));
    let tiny = Recipe::default().build();
    let with = |sha256: &str| tiny.card.replace("[network]", &format!("[network]\nsha256 = \"{sha256}\""));
    let another = TinyModel { card: with(&"0".repeat(64)), onnx: tiny.onnx.clone() };
    assert!(load(&another).unwrap_err().to_string().contains("its card was written with, 0000"));
    let own = sha256(&tiny.onnx);
    load(&TinyModel { card: with(&own), onnx: tiny.onnx.clone() }).unwrap();
    let card = tiny.card.clone();
    assert!(Model::from_parts(b"not a model", &card, Vec::new(), "x.onnx").unwrap_err().to_string().contains("x.onnx"));
}

#[test]
fn the_strangers_of_a_model_are_those_that_its_card_was_written_with() {
    let tiny = Recipe::default().build();
    let embeddings: Vec<Vec<f32>> =
        (0..5).map(|stranger| (0..64).map(|k| ((stranger * 31 + k * 17) % 13) as f32 - 6.0).collect()).collect();
    let cohort = Cohort::new(&embeddings, CohortRule { nearest: 2, weight: 0.7, scatter: 0.1 }).unwrap();
    let with = |strangers: usize, nearest: usize, bytes: &[u8]| {
        let sum = sha256(bytes);
        let (CohortRule { weight, scatter, .. }, usual) = (cohort.rule(), cohort.usual());
        let part = format!(
            "[cohort]\nstrangers = {strangers}\nnearest = {nearest}\nweight = {weight}\nscatter = {scatter}\n\
             usual = {usual}\nsha256 = \"{sum}\"\n\n[decision]"
        );
        tiny.card.replace("[decision]", &part)
    };
    let load = |card: &str, bytes: &[u8]| Model::from_parts(&tiny.onnx, card, bytes.to_vec(), "tiny.onnx");
    let bytes = cohort.bytes().to_vec();
    let card = with(5, 2, &bytes);
    let model = load(&card, &bytes).unwrap();
    assert_eq!(model.cohort().map(|cohort| (**cohort).clone()), Some(cohort.clone()));
    assert!(Model::from_parts(&tiny.onnx, &tiny.card, Vec::new(), "tiny.onnx").unwrap().cohort().is_none());
    let refused = |card: &str, bytes: &[u8]| load(card, bytes).unwrap_err().to_string();
    assert!(refused(&card, &[]).contains("NAME.cohort"));
    assert!(refused(&card, &bytes[64..]).contains("SHA-256"));
    assert!(refused(&with(4, 2, &bytes), &bytes).contains("does not hold 4 embeddings of 64 numbers"));
    assert!(refused(&with(5, 2, &bytes[1..]), &bytes[1..]).contains("does not hold 5 embeddings"));
    assert!(refused(&with(5, 0, &bytes), &bytes).contains("nearest above 0"));
    assert!(refused(&card.replace("weight = 0.7", "weight = 1.7"), &bytes).contains("weight 0 to 1"));
    assert!(refused(&card.replace("scatter = 0.1", "scatter = -1"), &bytes).contains("scatter 0 to 1"));
    // A card of before allowances for scatter: none.
    let before = load(&card.replace("scatter = 0.1\n", ""), &bytes).unwrap();
    assert_eq!(before.cohort().unwrap().rule(), CohortRule { nearest: 2, weight: 0.7, scatter: 0.0 });

    // Side by side on the disk.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.onnx");
    std::fs::write(&path, &tiny.onnx).unwrap();
    std::fs::write(path.with_extension("toml"), &card).unwrap();
    assert!(Model::load(&path).unwrap_err().to_string().contains("tiny.cohort"));
    std::fs::write(path.with_extension("cohort"), &bytes).unwrap();
    assert!(Model::load(&path).unwrap().cohort().is_some());
}

#[test]
fn a_card_that_is_cut_off_between_its_tables_is_refused() {
    let tiny = Recipe::default().build();
    let own = sha256(&tiny.onnx);
    let whole = tiny.card.replace("[network]", &format!("[network]\nsha256 = \"{own}\""));
    let cut = |at: &str| {
        let card = whole[..whole.find(at).unwrap()].to_owned();
        load(&TinyModel { card, onnx: tiny.onnx.clone() })
    };
    for table in ["[training]", "[[training.collections]]"] {
        let words = cut(table).unwrap_err().to_string();
        assert!(words.contains("the file is cut off") && words.contains("ecg-train"), "{words}");
    }
    cut("[[measured]]").unwrap();
    // Cards of before say neither.
    let before = tiny.card[..tiny.card.find("[training]").unwrap()].to_owned();
    load(&TinyModel { card: before, onnx: tiny.onnx.clone() }).unwrap();
}

#[test]
fn an_embedding_that_is_not_of_unit_length_or_not_finite_is_refused() {
    let long = Recipe { length: 2.0, ..Recipe::default() }.build();
    assert!(matches!(load(&long), Err(ModelError::Trial { .. })));
    let mut model = load(&Recipe::default().build()).unwrap();
    let flat = |value| PreparedBeat { values: [value; 175], amplitude_mv: 0.0 };
    assert_eq!(model.embed_beat(&flat(f32::NAN)), Err(EmbedError::NotFinite));
    assert_eq!(model.embed_beat(&flat(0.0)), Err(EmbedError::NotFinite));
}

#[test]
fn two_trainings_under_one_name_have_two_ids_and_files_are_found_side_by_side() {
    let model = Recipe::default().build();
    let other = Recipe { dimensions: 32, ..Recipe::default() }.build();
    let (a, b) = (load(&model).unwrap(), load(&other).unwrap());
    assert!(a.id().starts_with("tiny-") && a.id() != b.id());
    let folder = tempfile::tempdir().unwrap();
    let path = model.write(folder.path());
    assert_eq!(Model::load(&path).unwrap().id(), a.id());
    std::fs::remove_file(path.with_extension("toml")).unwrap();
    let text = Model::load(&path).unwrap_err().to_string();
    assert!(text.contains("tiny.toml") && text.contains("beside"), "{text}");
}

#[test]
fn the_shipped_model_is_in_the_executable_and_knows_whom_it_has_not_seen() {
    let mut model = Model::shipped().unwrap();
    let length = model.embed_beat(&beat(0.0)).unwrap().values.len();
    assert_eq!(length, model.card().embedding_length());
    let card = model.card();
    assert_eq!(card.amplitude(), Some(Amplitude::default()), "the thresholds are of scores with the size of the beat");
    assert!(card.network.parameters <= 100_000 && card.network.multiply_accumulates <= 4_000_000);
    let held_out = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/models/held-out.toml")).unwrap();
    let seen = card.persons_seen("ecg-id").unwrap();
    for person in held_out.split('"').filter(|word| word.starts_with("Person_")) {
        assert!(!seen.iter().any(|p| p == person), "{person} is held out and was trained on");
        assert!(card.persons_held_out("ecg-id").unwrap().iter().any(|p| p == person));
    }
}

#[test]
fn the_shipped_model_is_found_from_any_folder() {
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_ecgid"))
        .current_dir(folder.path())
        .args(["enrol", "ann", "--record", "nothing", "--store", "gallery.sqlite"])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains("nothing"), "the record is what is missing, not the model: {words}");
}
