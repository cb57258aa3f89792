"""Which names are AWS's own: held against botocore's list of partitions."""

from __future__ import annotations

from botocore.loaders import Loader

from chaos.environments.account import AWS_DOMAINS, is_aws


def test_every_partition_of_aws_is_known() -> None:
    partitions = Loader().load_data("partitions")["partitions"]
    outputs = [partition["outputs"] for partition in partitions]
    suffixes = {f".{o[kind]}" for o in outputs for kind in ("dnsSuffix", "dualStackDnsSuffix")}
    assert suffixes == {*AWS_DOMAINS}


def test_a_name_is_known_however_it_is_written() -> None:
    assert all(
        map(is_aws, ("amazonaws.com", "S3.AmazonAWS.com.", "sts.eusc-de-east-1.amazonaws.eu"))
    )
    assert not any(map(is_aws, ("notamazonaws.com", "amazonaws.com.example", "localhost", "")))
