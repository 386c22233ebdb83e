using Muster.Contracts.Gateways;
using Muster.Domain.Devices;

namespace Muster.Gateway.Tests.Edge;

/// <summary>What a device of the tests says.</summary>
internal static class Samples
{
    public const string Serial = "CAM-000001";

    public const string OtherSerial = "CAM-000002";

    public static readonly string Digest = new('a', 64);

    public static DesiredMessage Desired(long generation) =>
        new(new DesiredState(generation, new OsTarget(Digest, "12.12.1", 4711, [1, 2]), null));

    public static string Hello(string serial, int sequence = 1) =>
        $$"""
        {"stamp":{"bootId":"boot-1","sequence":{{sequence}}},"serial":"{{serial}}","model":"P3265-V","osVersion":"12.11.77",
        "imageDigest":"{{Digest}}","secureBoot":true,"factoryDefault":true,"generation":0}
        """;

    public static string Status(int sequence = 1) =>
        $$"""{"stamp":{"bootId":"boot-1","sequence":{{sequence}}},"uptimeSeconds":12,"note":"well"}""";

    public static string Report(int sequence = 1, int generation = 1, string step = "STEP_DOWNLOADING") =>
        $$"""{"stamp":{"bootId":"boot-1","sequence":{{sequence}}},"generation":{{generation}},"step":"{{step}}"}""";

    public static string Inventory(int sequence = 1) =>
        $$"""
        {"stamp":{"bootId":"boot-1","sequence":{{sequence}}},"generation":4,
        "settings":[{"name":"Network.SSH.Enabled","value":"no"}]}
        """;

    public static string Result(int sequence = 1) =>
        $$"""
        {"stamp":{"bootId":"boot-1","sequence":{{sequence}}},
        "nonce":"0123456789abcdef0123456789abcdef","succeeded":true,"proof":"AQID"}
        """;
}
