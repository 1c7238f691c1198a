//! Stylesheets with a document each, and what xsltproc of libxslt 1.1.35 (with libxml2 2.9.14) makes of it: the result must be
//! the same byte for byte. A new one is three files, the last made by `xsltproc --nonet --nowrite NAME.xsl NAME.xml`.

use std::{fs, path::Path};

use xslt::{Limits, Stylesheet};

#[test]
fn results_are_those_of_libxslt() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("the folder")
        .filter_map(|entry| {
            entry.expect("a file").file_name().to_str()?.strip_suffix(".xsl").map(str::to_owned)
        })
        .collect();
    names.sort();
    assert!(names.len() >= 76, "{names:?}");
    let file = |name: &str, ending: &str| fs::read(folder.join(format!("{name}.{ending}"))).expect("a file");
    let mut different = Vec::new();
    for name in names {
        let result = Stylesheet::compile(&file(&name, "xsl"))
            .map_err(|mistake| mistake.to_string())
            .and_then(|sheet| {
                let limits = Limits::default();
                sheet.transform(&file(&name, "xml"), &limits).map_err(|failure| failure.to_string())
            })
            .map(|transformed| transformed.bytes);
        let expected = file(&name, "out");
        if result.as_ref() != Ok(&expected) {
            let shown = result.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            different.push(format!("{name}: {shown:?}\nnot {:?}", String::from_utf8_lossy(&expected)));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}
