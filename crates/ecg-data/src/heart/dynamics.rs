//! The three coupled equations, integrated with the classical Runge–Kutta method of fourth order.
//!
//! With θ = atan2(y, x), ω = 2π/RR and Δθᵢ = θ − θᵢ wrapped to ±π:
//!
//! - x′ = (1 − √(x² + y²))·x − ω·y
//! - y′ = (1 − √(x² + y²))·y + ω·x
//! - z′ = −Σ Aᵢ·(ω/bᵢ²)·Δθᵢ·exp(−Δθᵢ²/2bᵢ²) − (z − z₀)
//!
//! where a wave of Aᵢ millivolts, tᵢ seconds after R and σᵢ seconds wide has θᵢ = ω·tᵢ and bᵢ = ω·σᵢ. R is at θ = 0.
//! Must not know of noise or of why a beat is as long as it is.

use std::f64::consts::{PI, TAU};

use super::params::{HeartParams, Wave};

/// How far from θ = 0 the highest point of the QRS may lie, in seconds: a notch or a deep S moves it.
const PEAK_REACH_S: f64 = 0.05;
/// Time constant of the return to the baseline, in seconds: the paper's 1.
const RETURN_S: f64 = 1.0;

/// The state of the model.
#[derive(Clone, Debug)]
pub(super) struct Dynamics {
    waves: [(Wave, bool); 7],
    pushes: [Push; 7],
    /// x, y, z.
    state: [f64; 3],
    /// Angular velocity in radians a second.
    omega: f64,
    /// Highest maximum of the QRS that is passing: its place in seconds and its height.
    highest: Option<(f64, f64)>,
}

/// A wave as the equations want it, for the length of the present beat.
#[derive(Clone, Copy, Debug)]
struct Push {
    angle: f64,
    /// A·ω/b²
    strength: f64,
    /// 1/(2b²)
    narrowness: f64,
}

impl Dynamics {
    /// Begins half a beat before the first R, which is `rr_s`/2 seconds away.
    pub(super) fn new(params: &HeartParams, rr_s: f64) -> Self {
        let waves = params.waves();
        let omega = TAU / rr_s;
        Self { waves, pushes: pushes(&waves, rr_s), state: [-1.0, 0.0, 0.0], omega, highest: None }
    }

    /// The ECG without noise, in millivolts.
    pub(super) fn millivolts(&self) -> f64 {
        self.state[2]
    }

    /// Goes on by `step_s` from `now_s`; gives the place of an R peak in seconds once it has passed.
    /// `next_rr` is asked for the length of a beat that begins at the given time.
    pub(super) fn advance(
        &mut self,
        now_s: f64,
        step_s: f64,
        baseline_mv: f64,
        next_rr: impl Fn(f64) -> f64,
    ) -> Option<f64> {
        let to_r_s = (TAU - self.angle().rem_euclid(TAU)) / self.omega;
        if to_r_s > step_s {
            return self.integrate(now_s, step_s, baseline_mv);
        }
        // The step is taken apart at R, so that a beat lasts its RR exactly; there the point is put back on the circle.
        let before = self.integrate(now_s, to_r_s, baseline_mv);
        let rr_s = next_rr(now_s + to_r_s);
        self.omega = TAU / rr_s;
        self.pushes = pushes(&self.waves, rr_s);
        (self.state[0], self.state[1]) = (1.0, 0.0);
        before.or(self.integrate(now_s + to_r_s, step_s - to_r_s, baseline_mv))
    }

    fn integrate(&mut self, now_s: f64, step_s: f64, baseline_mv: f64) -> Option<f64> {
        let slope = |state: &[f64; 3]| self.slope(state, baseline_mv);
        let moved = |by: &[f64; 3], share: f64| std::array::from_fn(|i| self.state[i] + share * step_s * by[i]);
        let k1 = slope(&self.state);
        let k2 = slope(&moved(&k1, 0.5));
        let k3 = slope(&moved(&k2, 0.5));
        let k4 = slope(&moved(&k3, 1.0));
        let state = std::array::from_fn(|i| self.state[i] + step_s / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i]));
        let slope_after = slope(&state)[2];
        self.state = state;
        self.watch(now_s, step_s, k1[2], slope_after)
    }

    /// Looks for the highest maximum near R: where the slope of z turns from up to down.
    fn watch(&mut self, now_s: f64, step_s: f64, slope_before: f64, slope_after: f64) -> Option<f64> {
        let angle = wrapped(self.angle());
        let from_r_s = angle / self.omega;
        if from_r_s.abs() > PEAK_REACH_S {
            return self.highest.take().map(|(at_s, _)| at_s);
        }
        if slope_before > 0.0 && slope_after <= 0.0 {
            let at_s = now_s + step_s * slope_before / (slope_before - slope_after);
            if self.highest.is_none_or(|(_, height)| self.state[2] > height) {
                self.highest = Some((at_s, self.state[2]));
            }
        }
        None
    }

    fn angle(&self) -> f64 {
        self.state[1].atan2(self.state[0])
    }

    fn slope(&self, &[x, y, z]: &[f64; 3], baseline_mv: f64) -> [f64; 3] {
        let to_circle = 1.0 - x.hypot(y);
        let angle = y.atan2(x);
        let push = |push: &Push| {
            let distance = wrapped(angle - push.angle);
            push.strength * distance * (-push.narrowness * distance * distance).exp()
        };
        let pushed: f64 = self.pushes.iter().map(push).sum();
        [to_circle * x - self.omega * y, to_circle * y + self.omega * x, -pushed - (z - baseline_mv) / RETURN_S]
    }
}

fn pushes(waves: &[(Wave, bool); 7], rr_s: f64) -> [Push; 7] {
    let omega = TAU / rr_s;
    waves.map(|(wave, moves)| {
        // Bazett: the distance of T from R, and its width, go with the square root of RR.
        let stretch = if moves { rr_s.sqrt() } else { 1.0 };
        let width = omega * wave.width_s * stretch;
        Push {
            angle: wrapped(omega * wave.at_s * stretch),
            strength: wave.millivolts * omega / (width * width),
            narrowness: 0.5 / (width * width),
        }
    })
}

/// An angle within ±π.
fn wrapped(angle: f64) -> f64 {
    (angle + PI).rem_euclid(TAU) - PI
}
