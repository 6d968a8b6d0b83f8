"""Networks for tests."""

from torch import nn

from terranas.space.network import Network


def unsettle(network: Network) -> Network:
    """Give a network normalisations as after a training; those of a new one change next to nothing. Returns it."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return network
