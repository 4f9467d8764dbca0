//! "Did you mean": the candidate that a mistyped word was probably meant to be.

/// Nobody mistypes a word this long; comparing longer ones would only cost time.
const LONGEST_WORD: usize = 64;

/// The candidate nearest to `word`, or nothing when none is near. Case does not count.
///
/// Near means: at most one mistake for every three characters, and at least one is forgiven. A mistake is a character too
/// many, too few or wrong, or two swapped (Damerau-Levenshtein, optimal string alignment). Of equals the first wins.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    within(word, candidates, usize::MAX)
}

/// The same, and so many mistakes at most: of long names that begin alike.
pub fn within<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, most: usize) -> Option<&'a str> {
    let word = letters(word);
    if word.is_empty() || word.len() > LONGEST_WORD {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other = letters(candidate);
        let forgiven = (word.len().max(other.len()) / 3).clamp(1, most);
        if word.len().abs_diff(other.len()) > forgiven || other.len() > LONGEST_WORD {
            continue;
        }
        let mistakes = distance(&word, &other);
        if mistakes <= forgiven && best.is_none_or(|(fewest, _)| mistakes < fewest) {
            best = Some((mistakes, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Of the releases of one product the newest that is not newer than `word`, or the oldest where all are: `PANOS 7.0+` for
/// `PANOS 10.1`. Of equals the shortest name wins. Nothing where `word` has no number, or none is of its product.
pub fn nearest_release<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (product, wanted) = release(word)?;
    let same = |candidate: &'a str| {
        let (of, number) = release(candidate).filter(|_| is_release(candidate))?;
        (of == product).then_some((number, candidate))
    };
    let all: Vec<(Vec<u64>, &str)> = candidates.into_iter().filter_map(same).collect();
    let by_length = |one: &(Vec<u64>, &str)| std::cmp::Reverse(one.1.len());
    let older = all.iter().filter(|(number, _)| *number <= wanted);
    let newest = older.max_by_key(|one| (one.0.clone(), by_length(one)));
    newest.or_else(|| all.iter().min_by_key(|one| (one.0.clone(), one.1.len()))).map(|(_, name)| *name)
}

/// Nothing stands behind the number but a sign, or a remark in parentheses: `2900SeriesRouters` is no release.
fn is_release(name: &str) -> bool {
    let rest = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    let rest = rest.trim_start_matches(|c: char| c == '.' || c == '+' || c.is_ascii_digit()).trim_start();
    rest.is_empty() || rest.starts_with('(')
}

/// The product and its release: `FortiOS 6.4.4+ (GUI)` is release 6.4.4 of `fortios`. Nothing without a number.
pub fn release(name: &str) -> Option<(String, Vec<u64>)> {
    let at = name.find(|c: char| c.is_ascii_digit())?;
    let product = name[..at].chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let number = name[at..].split(|c: char| c != '.' && !c.is_ascii_digit()).next()?;
    Some((product, number.split('.').map_while(|part| part.parse().ok()).collect()))
}

fn letters(word: &str) -> Vec<char> {
    word.chars().flat_map(char::to_lowercase).collect()
}

fn distance(a: &[char], b: &[char]) -> usize {
    let mut two_back: Vec<usize> = Vec::new();
    let mut before: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = before[j] + usize::from(a[i] != b[j]);
            let mut fewest = replaced.min(before[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                fewest = fewest.min(two_back[j - 1] + 1);
            }
            row.push(fewest);
        }
        two_back = std::mem::replace(&mut before, row);
    }
    before[b.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let kinds = ["vpc-cidr", "cidr", "cidr-list", "email", "region"];
        for (word, expected) in [
            ("vpc_cidr", Some("vpc-cidr")),
            ("cdir", Some("cidr")),
            ("CIDR", Some("cidr")),
            ("regoin", Some("region")),
            ("emial", Some("email")),
            ("", None),
            ("subnets", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, kinds), expected, "{word}");
        }
        assert_eq!(nearest(&"a".repeat(100_000), kinds), None);
    }

    #[test]
    fn releases_are_compared_by_their_numbers() {
        let known = [
            "FortiOS 4.0+",
            "FortiOS 5.0+",
            "FortiOS 5.0+ (GUI)",
            "FortiOS 6.4.4+ (GUI)",
            "PANOS 4.1.2+",
            "PANOS 7.0+",
            "Cisco-2900Series-IOS12",
            "Cisco-7200Series-IOS12",
        ];
        for (word, expected) in [
            ("FortiOS 7.2", Some("FortiOS 6.4.4+ (GUI)")),
            ("fortios 5.6.1", Some("FortiOS 5.0+")),
            ("FortiOS 3", Some("FortiOS 4.0+")),
            ("PANOS 10.1", Some("PANOS 7.0+")),
            ("PAN-OS 11.0.2-h1", Some("PANOS 7.0+")),
            ("IOS 15", None),
            ("FortiOS", None),
            ("Cisco-29000Series-IOS12", None),
        ] {
            assert_eq!(nearest_release(word, known), expected, "{word}");
        }
    }

    #[test]
    fn distances_are_those_of_the_textbook() {
        for (a, b, expected) in [("kitten", "sitting", 3), ("ab", "ba", 1), ("", "abc", 3), ("abc", "abc", 0)] {
            assert_eq!(distance(&letters(a), &letters(b)), expected, "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn one_swap_is_always_forgiven(word in "[a-z]{2,12}", at in any::<prop::sample::Index>()) {
            let mut typed: Vec<char> = word.chars().collect();
            let at = at.index(typed.len() - 1);
            typed.swap(at, at + 1);
            let typed: String = typed.into_iter().collect();
            prop_assert_eq!(nearest(&typed, [word.as_str()]), Some(word.as_str()));
        }

        #[test]
        fn distance_is_symmetric(a in "[abc]{0,8}", b in "[abc]{0,8}") {
            prop_assert_eq!(distance(&letters(&a), &letters(&b)), distance(&letters(&b), &letters(&a)));
        }
    }
}
