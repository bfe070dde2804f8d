//! `[score]`: the prior, the bounds between actions, the caps.

use doorward_rules::Points;

use super::kind::PointsBetween;
use super::section::section;

section! {
    /// Bounds on the scale of the score: 50 = even odds, 10 points = ten times.
    ScoreSettings in "score" {
        /// Score of a login about which no rule says anything.
        base: Points = PointsBetween(0, 100), decides Yes;
        /// From this score on two independent categories are required.
        level2_from: Points = PointsBetween(0, 100), decides Yes;
        /// From this score on a factor bound to origin is required.
        level3_from: Points = PointsBetween(0, 100), decides Yes;
        /// From this score on a login is denied, if an attack line fired and level 3 is not achieved.
        deny_from: Points = PointsBetween(0, 100), decides Yes;
        /// The most that newness adds, in points.
        newness_cap: Points = PointsBetween(0, 100), decides Yes;
        /// The most that trust takes away, as a positive number of points.
        trust_cap: Points = PointsBetween(0, 100), decides Yes;
    }
}
