//! tmp
use cesql::Expression;
#[test]
fn m() {
    for (o, c) in [
        ("(", ")"),
        ("abs(", ")"),
        ("1 IN (", ")"),
        ("TRUE AND 1 < 1 + 1 * -(", ")"),
        ("TRUE AND 1 < 1 + 1 * CONCAT(1 IN (", "))"),
    ] {
        let per = o.matches('(').count();
        let d = 64 / per;
        let s = format!("{}1{}", o.repeat(d), c.repeat(d));
        for kb in [2048, 1536, 1024, 768, 512, 384, 256, 128, 64] {
            if std::env::var("KB").unwrap() == kb.to_string() && std::env::var("O").unwrap() == o {
                let s2 = s.clone();
                std::thread::Builder::new()
                    .stack_size(kb * 1024)
                    .spawn(move || {
                        let e = Expression::parse(&s2).unwrap();
                        if std::env::var("EV").is_ok() {
                            let _ = e.evaluate(&[]);
                        }
                        std::mem::forget(e);
                    })
                    .unwrap()
                    .join()
                    .unwrap();
                eprintln!("ok {o} {kb}");
            }
        }
    }
}
