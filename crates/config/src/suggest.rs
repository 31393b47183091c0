//! What was probably meant.

use crate::fault::{Text, text};

/// Names longer than this are not compared: the distance costs their product.
const NAME_CHARS_MAX: usize = 64;
/// Choices listed in full.
const CHOICES_MAX: usize = 16;

/// The nearest of the known names, if one is near.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    if wanted.len() > NAME_CHARS_MAX {
        return None;
    }
    let allowed = (wanted.len() / 3).max(1);
    known
        .into_iter()
        .filter(|other| other.len() <= 4 * NAME_CHARS_MAX)
        .map(|other| (distance(&wanted, &other.to_lowercase().chars().collect::<Vec<_>>()), other))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// The known names, those first that are most like `name`.
pub fn nearest_first<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Vec<&'k str> {
    let chars = |name: &str| name.to_lowercase().chars().take(NAME_CHARS_MAX).collect::<Vec<_>>();
    let wanted = chars(name);
    let mut known: Vec<_> = known.into_iter().collect();
    known.sort_by_cached_key(|other| (distance(&wanted, &chars(other)), *other));
    known
}

/// “是不是 `x`?” where a known name is near.
pub(crate) fn did_you_mean<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<Text> {
    nearest(name, known).map(|near| text(format!("是不是 `{near}`?"), format!("did you mean `{near}`?")))
}

/// Lists the choices where they are few.
pub(crate) fn one_of<'k>(known: impl IntoIterator<Item = &'k str>) -> Option<Text> {
    let known: Vec<_> = known.into_iter().map(|name| format!("`{name}`")).collect();
    (!known.is_empty() && known.len() <= CHOICES_MAX)
        .then(|| text(format!("可以写:{}", known.join("、")), format!("one of: {}", known.join(", "))))
}

/// A near name, else the list of choices.
pub(crate) fn meant<'k>(name: &str, known: impl IntoIterator<Item = &'k str> + Clone) -> Option<Text> {
    did_you_mean(name, known.clone()).or_else(|| one_of(known))
}

/// Levenshtein distance with swaps of neighbours counted as one.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            next[j] = (row[j] + 1).min(next[j - 1] + 1).min(row[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                next[j] = next[j].min(before[j - 2] + 1);
            }
        }
        before = row;
        row = next;
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_another_word_is_not() {
        assert_eq!(nearest("deadbnad", ["deadband", "on_delay"]), Some("deadband"));
        assert_eq!(nearest("回叉", ["回差", "高报"]), Some("回差"));
        assert_eq!(nearest("colour", ["deadband", "on_delay"]), None);
        assert_eq!(nearest_first("hongxing", ["wutong", "anran", "hongxin"]), ["hongxin", "anran", "wutong"]);
    }
}
