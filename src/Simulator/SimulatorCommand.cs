using System.CommandLine;
using System.Net;
using Muster.Cryptography.Certificates;
using Muster.Simulator.Demo;
using Muster.Simulator.Devices;
using Muster.Simulator.Fleet;
using Muster.Simulator.Vendor;

namespace Muster.Simulator;

/// <summary>The verbs of the simulator.</summary>
internal static class SimulatorCommand
{
    private const int DevicesMax = 100_000;

    public static RootCommand Create() => new("A make-believe vendor and its devices, on the real protocols.")
    {
        Pki(),
        Image(),
        RunFleet(),
        DemoCommand.Create(),
        ScenarioCommand.Create(),
    };

    private static Command Pki()
    {
        var folder = new Option<string>("--out") { Required = true, Description = "The folder to make." };
        var command = new Command("pki", "Makes a vendor: device CA, image signer, and the PEM files to trust.") { folder };
        command.SetAction(parsed => VendorPki.Create(parsed.GetRequiredValue(folder), TimeProvider.System.GetUtcNow()));
        return command;
    }

    private static Command Image()
    {
        var pki = new Option<string>("--pki") { Required = true, Description = "The vendor's folder." };
        var file = new Option<string>("--out") { Required = true, Description = "The file; the signature goes to FILE.cms." };
        var size = new Option<long>("--size") { DefaultValueFactory = _ => 1 << 20, Description = "Bytes." };
        var version = new Option<string>("--version", "--os-version") { Required = true, Description = "Such as 12.11.77." };
        var command = new Command("image", "Makes a signed image of random bytes.") { pki, file, size, version };
        command.SetAction(parsed => VendorPki.WriteImage(
            parsed.GetRequiredValue(pki),
            parsed.GetRequiredValue(file),
            parsed.GetValue(size),
            parsed.GetRequiredValue(version),
            TimeProvider.System.GetUtcNow()));
        return command;
    }

    private static Command RunFleet()
    {
        var pki = new Option<string>("--pki") { Required = true, Description = "The vendor's folder." };
        var devices = new Option<int>("--devices") { DefaultValueFactory = _ => 200, Description = $"1 to {DevicesMax}." };
        var mqtt = new Option<string>("--mqtt") { Required = true, Description = "host:port." };
        var https = new Option<string>("--https") { Required = true, Description = "host:port." };
        var serverCa = new Option<string>("--server-ca") { Required = true, Description = "PEM of the server's CA." };
        var log = new Option<string>("--log") { Required = true, Description = "JSON lines, appended." };
        var state = new Option<string>("--state") { Required = true, Description = "What the devices remember." };
        var model = new Option<string>("--model") { DefaultValueFactory = _ => "P3265-V", Description = "What they are." };
        var version = new Option<string>("--os-version")
        {
            DefaultValueFactory = _ => "12.10.50",
            Description = "What the factory installed.",
        };
        var fault = new Option<DeviceFault>("--fault") { Description = "What the first device does wrong." };
        var misfits = new Option<bool>("--misfits") { Description = "With devices that have to be refused at their enrolment." };
        var command = new Command("fleet", "Runs devices until SIGTERM; started again, each boots anew.")
        {
            pki, devices, mqtt, https, serverCa, log, state, model, version, fault, misfits,
        };
        devices.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > DevicesMax)
            {
                result.AddError($"--devices is 1 to {DevicesMax}.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new FleetOptions(
                parsed.GetRequiredValue(pki),
                parsed.GetValue(devices),
                EndPoint(parsed.GetRequiredValue(mqtt)),
                EndPoint(parsed.GetRequiredValue(https)),
                TrustStore.FromPem(await File.ReadAllTextAsync(parsed.GetRequiredValue(serverCa), cancellationToken)))
            {
                Model = parsed.GetRequiredValue(model),
                OsVersion = parsed.GetRequiredValue(version),
                Fault = parsed.GetValue(fault),
                HasMisfits = parsed.GetValue(misfits),
            };
            using var fleet = new Fleet.Fleet(
                options, parsed.GetRequiredValue(log), parsed.GetRequiredValue(state), TimeProvider.System);
            await fleet.RunAsync(cancellationToken);
        });
        return command;
    }

    private static DnsEndPoint EndPoint(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0 && int.TryParse(text.AsSpan(colon + 1), out var port) && port is > 0 and <= 65535
            ? new DnsEndPoint(text[..colon], port)
            : throw new FormatException($"'{text}' is not host:port.");
    }
}
