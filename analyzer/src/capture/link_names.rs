//! Names of the link types that are not read here, as tcpdump.org has them without the prefix.

/// Its name, where it is one that people capture with.
pub(super) fn name(link: u16) -> Option<&'static str> {
    Some(match link {
        3 => "AX25",
        6 => "IEEE802_5",
        7 => "ARCNET_BSD",
        8 => "SLIP",
        129 => "ARCNET_LINUX",
        143 => "DOCSIS",
        147..=162 => "USER, whose meaning only its maker knows",
        165 => "BACNET_MS_TP",
        177 => "LINUX_LAPD",
        187 => "BLUETOOTH_HCI_H4",
        189 => "USB_LINUX",
        195 => "IEEE802_15_4_WITHFCS",
        197 => "ERF",
        201 => "BLUETOOTH_HCI_H4_WITH_PHDR",
        220 => "USB_LINUX_MMAPPED",
        224 => "FC_2",
        227 => "CAN_SOCKETCAN",
        230 => "IEEE802_15_4_NONASK_PHY",
        240 => "NETANALYZER",
        242 => "IPOIB",
        247 => "INFINIBAND",
        248 => "SCTP",
        249 => "USBPCAP",
        251 => "BLUETOOTH_LE_LL",
        252 => "WIRESHARK_UPPER_PDU",
        253 => "NETLINK",
        254 => "BLUETOOTH_LINUX_MONITOR",
        256 => "BLUETOOTH_LE_LL_WITH_PHDR",
        266 => "USB_DARWIN",
        271 => "VSOCK",
        _ => return None,
    })
}
