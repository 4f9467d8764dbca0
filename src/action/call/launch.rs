//! What an instance is launched with.

use serde::Serialize;

use super::{Label, Token};

/// One instance.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct Launch {
    pub image_id: String,
    pub instance_type: String,
    pub subnet_id: String,
    pub security_group_ids: Vec<String>,
    pub key_name: String,
    pub min_count: i32,
    pub max_count: i32,
    pub metadata_options: MetadataOptions,
    pub block_device_mappings: [RootVolume; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_data: Option<String>,
    /// Only shown where it is set.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_api_termination: bool,
    pub client_token: Token,
    /// On instance, volume and network interface.
    pub tag_specifications: Label,
}

/// Session tokens only: a request forged through a web application on the host gets no credentials (IMDSv2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct MetadataOptions {
    pub http_tokens: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct RootVolume {
    pub device_name: String,
    pub ebs: Ebs,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::action) struct Ebs {
    pub volume_size: i32,
    pub volume_type: &'static str,
    pub encrypted: bool,
    pub delete_on_termination: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Call;
    use super::*;

    #[test]
    fn a_launch_is_one_call_with_its_arguments_inside() {
        let launch = Launch {
            image_id: "ami-1".to_owned(),
            instance_type: "t3.micro".to_owned(),
            subnet_id: "subnet-1".to_owned(),
            security_group_ids: vec!["sg-1".to_owned()],
            key_name: "ops".to_owned(),
            min_count: 1,
            max_count: 1,
            metadata_options: MetadataOptions { http_tokens: "required" },
            block_device_mappings: [RootVolume {
                device_name: "/dev/sda1".to_owned(),
                ebs: Ebs { volume_size: 20, volume_type: "gp3", encrypted: true, delete_on_termination: true },
            }],
            user_data: None,
            disable_api_termination: true,
            client_token: Token,
            tag_specifications: Label { key: "host/bastion".to_owned(), name: "bastion".to_owned() },
        };
        let change = Call::RunInstances(Box::new(launch)).change();
        assert_eq!(change.operation, "RunInstances");
        assert_eq!(change.arguments["MetadataOptions"], json!({ "HttpTokens": "required" }));
        assert_eq!(change.arguments["BlockDeviceMappings"][0]["Ebs"]["Encrypted"], json!(true));
        assert_eq!(change.arguments["DisableApiTermination"], json!(true));
    }
}
