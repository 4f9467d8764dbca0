//! A letter of authorization as a PDF: one page with lines of text.

/// The whole file. ISO 32000-1, 7.5: header, objects, their places, and where the places stand.
pub(super) fn letter(lines: &[String]) -> Vec<u8> {
    let text = lines.iter().map(|line| {
        let plain = line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        format!("({plain}) Tj T*\n")
    });
    let text: String = std::iter::once("BT /F1 11 Tf 16 TL 72 760 Td\n".to_owned()).chain(text).collect();
    let text = format!("{text}ET\n");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{text}endstream", text.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut places = String::new();
    for (number, object) in (1..).zip(&objects) {
        places.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let (start, size) = (file.len(), objects.len() + 1);
    file.push_str(&format!("xref\n0 {size}\n0000000000 65535 f \n{places}"));
    file.push_str(&format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"));
    file.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_stands_where_the_table_says() {
        let file = letter(&["Line (one) \\ end".to_owned(), "two".to_owned()]);
        let text = String::from_utf8(file).unwrap();
        let start: usize = text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        let table = &text[start..];
        assert!(table.starts_with("xref\n0 6\n"), "{table}");
        for (number, line) in (1..).zip(table.lines().skip(3).take(5)) {
            let at: usize = line[..10].parse().unwrap();
            assert!(text[at..].starts_with(&format!("{number} 0 obj\n")), "{line}");
        }
        assert!(text.contains("(Line \\(one\\) \\\\ end) Tj"), "{text}");
    }
}
