//! The classes of a closed-set model verify somebody on the front end that recorded them, and elsewhere nobody.

use ecgid::pipeline::classes::ClassReference;

use super::*;

/// As [`Shape`], and anna is a class, recorded on these front ends.
struct OfClasses(Vec<String>);

impl Embedder for OfClasses {
    fn id(&self) -> &str {
        "classes"
    }

    fn preparation(&self) -> Preparation {
        Shape.preparation()
    }

    fn embed(&mut self, input: &ModelInput) -> Result<Vec<f32>, String> {
        Shape.embed(input)
    }

    fn class_references(&self) -> Vec<ClassReference> {
        vec![ClassReference { reference: enrol("anna", ANNA), front_ends: self.0.clone() }]
    }
}

/// Every state that is said while anna sits at a board of this format.
async fn states(format: &str, recorded_on: &[&str]) -> Vec<(IdentityState, Reason)> {
    let anna: Vec<f64> = heart(ANNA, 1).take(30 * 250).collect();
    let board = Replay::from_millivolts(&anna, FS, Some(1.0)).with_front_end(format, 1.0);
    let model = OfClasses(recorded_on.iter().map(|&named| named.to_owned()).collect());
    let (events, mut said) = mpsc::channel(256);
    let nobody_enrolled: Vec<Reference> = Vec::new();
    let (pulse, cancel) = (Pulse::default(), CancellationToken::new());
    tokio::spawn(pipeline::run(board, settings(), model, nobody_enrolled, events, pulse, cancel));
    let mut states = Vec::new();
    while let Some(event) = said.recv().await {
        if let Event::Identity(identity) = event {
            states.push((identity.state, identity.reason));
        }
    }
    states
}

#[tokio::test(start_paused = true)]
async fn a_class_is_compared_on_its_own_front_end_and_where_the_operator_says_so() {
    let verified = (IdentityState::Verified, Reason::ScoreAboveThreshold);
    assert!(states("record", &["record/250Hz"]).await.contains(&verified));
    assert!(states("cwxs-bin", &["record/500Hz", "cwxs-bin"]).await.contains(&verified));
    for elsewhere in [&["record/250Hz"][..], &["cwxs-bin/500Hz"], &[]] {
        let said = states("cwxs-bin", elsewhere).await;
        assert!(said.contains(&(IdentityState::Unknown, Reason::NobodyEnrolled)), "{elsewhere:?}: {said:?}");
        assert!(said.iter().all(|(state, _)| *state != IdentityState::Verified), "{elsewhere:?}: {said:?}");
    }
}
