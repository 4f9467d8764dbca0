//! Answers of AWS that come in pages.

/// Everything of every page of an answer.
macro_rules! all_pages {
    ($cloud:expr, $operation:ident, $request:expr => $set:ident, $items:ident, $next:ident) => {{
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let request = $request.$set(next);
            let answer = $cloud.read($crate::aws::Operation::$operation, || request.clone().send()).await?;
            all.extend(answer.$items.unwrap_or_default());
            next = answer.$next.filter(|token| !token.is_empty());
            if next.is_none() {
                break all;
            }
        }
    }};
}

pub(super) use all_pages;
