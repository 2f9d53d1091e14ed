//! Kubernetes quantities: the API server writes `1024Mi` as `1Gi`, so texts cannot be compared.

/// The amount in thousandths of the base unit, rounded up as Kubernetes does; `None` when the text is no quantity.
pub fn amount(text: &str) -> Option<i128> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !".+-".contains(c)).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let unit = unit(suffix)?;
    let number: f64 = number.parse().ok()?;
    let thousandths = number * unit * 1000.0;
    // A fraction such as 0.7 has no exact float: what is within a millionth of a whole number is that number.
    let whole = if (thousandths - thousandths.round()).abs() < 1e-6 {
        thousandths.round()
    } else {
        thousandths.ceil()
    };
    #[expect(clippy::cast_possible_truncation, reason = "floats beyond its range become its ends")]
    whole.is_finite().then_some(whole as i128)
}

fn unit(suffix: &str) -> Option<f64> {
    if let Some(exponent) =
        suffix.strip_prefix(['e', 'E']).filter(|exponent| !exponent.is_empty() && *exponent != "i")
    {
        return exponent.parse::<i32>().ok().map(|exponent| 10f64.powi(exponent));
    }
    Some(match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024f64.powi(2),
        "Gi" => 1024f64.powi(3),
        "Ti" => 1024f64.powi(4),
        "Pi" => 1024f64.powi(5),
        "Ei" => 1024f64.powi(6),
        _ => return None,
    })
}

/// The amount in whole bytes, rounded down.
pub fn bytes(text: &str) -> Option<u64> {
    u64::try_from(amount(text)?.div_euclid(1000)).ok()
}

/// The same amount in the largest binary unit, as the API server writes it: `1024Mi` is `1Gi`. Texts without a binary
/// unit stay as they are.
pub fn canonical(text: &str) -> String {
    let Some(whole) = bytes(text).filter(|bytes| *bytes > 0 && text.ends_with('i')) else {
        return text.to_owned();
    };
    let units = ["Ei", "Pi", "Ti", "Gi", "Mi", "Ki"].into_iter().zip([60, 50, 40, 30, 20, 10]);
    let fitting =
        units.map(|(unit, bits)| (unit, 1_u64 << bits)).find(|(_, size)| whole.is_multiple_of(*size));
    fitting.map_or_else(|| text.to_owned(), |(unit, size)| format!("{}{unit}", whole / size))
}

#[cfg(test)]
mod tests {
    use super::{amount, bytes, canonical};

    #[test]
    fn equal_amounts_in_binary_units_are_one_text() {
        for (text, same) in [
            ("30720Mi", "30Gi"),
            ("1.5Gi", "1536Mi"),
            ("2048Gi", "2Ti"),
            ("7Gi", "7Gi"),
            ("20G", "20G"),
            ("1073741824", "1073741824"),
            ("0.3Ki", "0.3Ki"),
        ] {
            assert_eq!(canonical(text), same);
        }
    }

    #[test]
    fn equal_amounts_are_equal_however_they_are_written() {
        for (one, other) in [
            ("1Gi", "1024Mi"),
            ("1", "1000m"),
            ("2k", "2000"),
            ("0.5Gi", "512Mi"),
            ("0.7", "700m"),
            ("2.3", "2300m"),
            ("1e3", "1k"),
            ("12E6", "12M"),
            ("1Ei", "1024Pi"),
            ("500u", "1m"),
        ] {
            assert_eq!(amount(one), amount(other), "{one} {other}");
        }
        for text in ["", "Gi", "1Gib", "team", "1.2.3", "1e", "e3"] {
            assert_eq!(amount(text), None, "{text}");
        }
        assert_eq!((bytes("1e10"), bytes("1500m"), bytes("-1")), (Some(10_000_000_000), Some(1), None));
    }
}
