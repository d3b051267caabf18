//! What a listing shows, page by page.

use super::Inner;
use crate::aws::RequestClass;
use crate::error::Result;
use crate::store::is_hidden;

impl Inner {
    pub(super) async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<String>> {
        let request = self.request("list", prefix, "s3:ListBucket");
        let mut keys = Vec::new();
        let mut token = None;
        while keys.len() < limit {
            let page = self
                .s3
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(self.path(prefix))
                .max_keys((limit - keys.len()).min(1_000) as i32)
                .set_continuation_token(token)
                .set_expected_bucket_owner(self.owner.clone())
                .customize()
                .config_override(self.s3.time_for(RequestClass::List))
                .interceptor(request.attempts())
                .send()
                .await
                .map_err(|error| request.failed(&error))?;
            let found = page.contents().iter().filter_map(|object| self.relative(object.key()?));
            let found = found.filter(|key| !is_hidden(key));
            keys.extend(found.map(str::to_owned));
            match page.next_continuation_token() {
                Some(next) => token = Some(next.to_owned()),
                None => break,
            }
        }
        keys.truncate(limit);
        Ok(keys)
    }

    pub(super) async fn list_documents(&self, prefix: &str, after: &str) -> Result<Vec<String>> {
        let request = self.request("list", prefix, "s3:ListBucket");
        let mut keys = Vec::new();
        let (mut start, mut token) = ((!after.is_empty()).then(|| self.path(after)), None);
        loop {
            let page = self
                .s3
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(self.path(prefix))
                .set_start_after(start.take())
                .set_continuation_token(token)
                .set_expected_bucket_owner(self.owner.clone())
                .customize()
                .config_override(self.s3.time_for(RequestClass::List))
                .interceptor(request.attempts())
                .send()
                .await
                .map_err(|error| request.failed(&error))?;
            let found = page.contents().iter().filter_map(|object| self.relative(object.key()?));
            keys.extend(found.map(str::to_owned));
            match page.next_continuation_token() {
                Some(next) => token = Some(next.to_owned()),
                None => return Ok(keys),
            }
        }
    }
}
