"""The network of network.yaml as a script makes it: one call after the other, waiting where AWS says so."""

import os

import boto3

ec2 = boto3.client("ec2", region_name="eu-north-1", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
ZONES, TIERS = "abc", {"public": 0, "app": 10, "data": 20, "mgmt": 30}


def tags(kind, name):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}, {"Key": "bench", "Value": "network"}]}]


vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16", TagSpecifications=tags("vpc", "main"))["Vpc"]["VpcId"]
ec2.get_waiter("vpc_available").wait(VpcIds=[vpc])
ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": True})
ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})

subnets = {}
for tier, first in TIERS.items():
    for number, zone in enumerate(ZONES):
        made = ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"10.40.{first + number}.0/24",
            AvailabilityZone=f"eu-north-1{zone}",
            TagSpecifications=tags("subnet", f"{tier}/{zone}"),
        )
        subnets[tier, zone] = made["Subnet"]["SubnetId"]
ec2.get_waiter("subnet_available").wait(SubnetIds=list(subnets.values()))

igw = ec2.create_internet_gateway(TagSpecifications=tags("internet-gateway", "main"))["InternetGateway"]["InternetGatewayId"]
ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)


def table(name, target, members):
    made = ec2.create_route_table(VpcId=vpc, TagSpecifications=tags("route-table", name))["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=made, DestinationCidrBlock="0.0.0.0/0", **target)
    for member in members:
        ec2.associate_route_table(RouteTableId=made, SubnetId=member)


table("public", {"GatewayId": igw}, [subnets["public", zone] for zone in ZONES])

nats = {}
for zone in ZONES:
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=tags("elastic-ip", zone))["AllocationId"]
    made = ec2.create_nat_gateway(
        SubnetId=subnets["public", zone], AllocationId=address, TagSpecifications=tags("natgateway", zone)
    )
    nats[zone] = made["NatGateway"]["NatGatewayId"]
ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=list(nats.values()))
for zone in ZONES:
    inside = [subnets[tier, zone] for tier in TIERS if tier != "public"]
    table(f"private/{zone}", {"NatGatewayId": nats[zone]}, inside)


def door(name, rule):
    made = ec2.create_security_group(
        VpcId=vpc, GroupName=name, Description=name, TagSpecifications=tags("security-group", name)
    )["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **rule}
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[permission])
    return made


bastion = door("bastion", {"IpRanges": [{"CidrIp": "198.51.100.0/28"}]})
door("hosts", {"UserIdGroupPairs": [{"GroupId": bastion}]})

vgw = ec2.create_vpn_gateway(Type="ipsec.1", AmazonSideAsn=64512, TagSpecifications=tags("vpn-gateway", "main"))
vgw = vgw["VpnGateway"]["VpnGatewayId"]
ec2.attach_vpn_gateway(VpnGatewayId=vgw, VpcId=vpc)
cgw = ec2.create_customer_gateway(
    Type="ipsec.1", PublicIp="198.51.100.10", BgpAsn=65010, TagSpecifications=tags("customer-gateway", "main")
)["CustomerGateway"]["CustomerGatewayId"]
vpn = ec2.create_vpn_connection(
    Type="ipsec.1", CustomerGatewayId=cgw, VpnGatewayId=vgw, TagSpecifications=tags("vpn-connection", "main")
)["VpnConnection"]["VpnConnectionId"]
ec2.get_waiter("vpn_connection_available").wait(VpnConnectionIds=[vpn])
