using System.CommandLine;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Grpc.Core;
using Muster.Protocol.V1;
using Muster.Simulator.Vendor;

namespace Muster.Simulator.Demo;

/// <summary>The verb <c>demo</c>: the one process and a fleet as processes of their own, and the whole job through the API.</summary>
internal static class DemoCommand
{
    private const int DevicesMax = 10_000;
    private const int FirstPort = 28_880;
    private const string Version = "12.11.77";

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var silo = new Option<string>("--silo") { Required = true, Description = "Muster.Silo.dll." };
        var devices = new Option<int>("--devices") { DefaultValueFactory = _ => 200, Description = $"1 to {DevicesMax}." };
        var data = new Option<string?>("--data") { Description = "An empty folder; default a new one." };
        var json = new Option<bool>("--json") { Description = "Progress to stderr, and one object as the last line of stdout." };
        var command = new Command("demo", "Drives the job from delivery list to tombstone.") { silo, devices, data, json };
        devices.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > DevicesMax)
            {
                result.AddError($"--devices is 1 to {DevicesMax}.");
            }
        });
        command.SetAction((parsed, cancellationToken) => RunAsync(
            parsed.GetRequiredValue(silo),
            parsed.GetValue(devices),
            parsed.GetValue(data) ?? Directory.CreateTempSubdirectory("muster-demo-").FullName,
            parsed.GetValue(json),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string silo, int devices, string data, bool isJson, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var progress = isJson ? Console.Error : Console.Out;
        var pki = Path.Combine(data, "vendor");
        VendorPki.Create(pki, time.GetUtcNow());
        foreach (var kind in new[] { "devices", "images" })
        {
            var trust = Directory.CreateDirectory(Path.Combine(data, "trust", kind)).FullName;
            foreach (var pem in Directory.EnumerateFiles(Path.Combine(pki, "trust", kind)))
            {
                File.Copy(pem, Path.Combine(trust, Path.GetFileName(pem)), overwrite: true);
            }
        }

        using var host = Start(silo, Path.Combine(data, "silo.log"), HostSettings(data));
        Process? fleet = null;
        try
        {
            var profile = Path.Combine(data, "operators", "administrator");
            await ListeningAsync(FirstPort + 2, host, time, cancellationToken);
            using var administrator = OperatorClient.Open($"https://localhost:{FirstPort + 2}", profile);
            using var requester = await administrator.InviteAsync(
                $"https://localhost:{FirstPort + 2}", "bert", [OperatorRole.Operator, OperatorRole.Approver], cancellationToken);
            using var approver = await administrator.InviteAsync(
                $"https://localhost:{FirstPort + 2}", "anna", [OperatorRole.Approver], cancellationToken);
            var run = new DemoRun(requester, approver, devices, progress, time);
            fleet = StartFleet(data, pki, devices, profile);
            return await DriveAsync(run, data, pki, devices, isJson, cancellationToken);
        }
        catch (RpcException refusal)
        {
            await progress.WriteLineAsync($"The API refused a step: {refusal.Status}");
            return 1;
        }
        finally
        {
            fleet?.Kill();
            fleet?.Dispose();
            host.Kill();
            await progress.WriteLineAsync($"Data and logs: {data}");
        }
    }

    private static async Task<int> DriveAsync(
        DemoRun run, string data, string pki, int devices, bool isJson, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var progress = isJson ? Console.Error : Console.Out;
        await progress.WriteLineAsync("Enrolment");
        await run.ExpectAsync(cancellationToken);
        var enrolled = await run.CountAsync("in service", "state=IN_SERVICE", devices, cancellationToken);
        await progress.WriteLineAsync("Policy and image");
        var file = Path.Combine(data, "image.bin");
        VendorPki.WriteImage(pki, file, 1 << 20, Version, TimeProvider.System.GetUtcNow());
        var image = await run.UploadAsync(file, Version, cancellationToken);
        await run.ApplyPolicyAsync(Version, cancellationToken);
        await run.CountAsync("not compliant before the rollout", "compliance=NON_COMPLIANT", devices, cancellationToken);
        await progress.WriteLineAsync("Rollout");
        await run.RollOutAsync(image, cancellationToken);
        var updated = await run.CountAsync("running the image", $"image_digest={image.Name[^64..]}", devices, cancellationToken);
        var compliant = await run.CountAsync("compliant", "compliance=COMPLIANT", devices, cancellationToken);
        await progress.WriteLineAsync("End of support");
        await run.EndSupportAsync(cancellationToken);
        var retired = await run.CountAsync("decommissioned", "state=DECOMMISSIONED", run.Retired, cancellationToken);
        var log = Path.Combine(data, "fleet.jsonl");
        var refused = await run.UntilAsync(() => Task.FromResult(Told(log, "tombstone_refused")), retired, cancellationToken);
        await progress.WriteLineAsync("The fleet's own log");
        run.Require("installs", updated, Told(log, "installed"));
        run.Require("erased", retired, Told(log, "erased"));
        run.Require("tombstones refused", retired, refused);
        var summary = new
        {
            devices, enrolled, updated, compliant, decommissioned = retired, tombstone_refused = refused,
            seconds = Math.Round(clock.Elapsed.TotalSeconds, 1), violations = run.Violations.Count,
        };
        foreach (var violation in run.Violations)
        {
            await progress.WriteLineAsync($"VIOLATION {violation}");
        }

        Console.WriteLine(JsonSerializer.Serialize(summary));
        return run.Violations.Count == 0 ? 0 : 1;
    }

    private static long Told(string log, string name)
    {
        using var stream = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        var mark = $"\"event\":\"{name}\"";
        long count = 0;
        while (reader.ReadLine() is { } line)
        {
            count += line.Contains(mark, StringComparison.Ordinal) ? 1 : 0;
        }

        return count;
    }

    private static Process StartFleet(string data, string pki, int devices, string profile) => Start(
        typeof(DemoCommand).Assembly.Location,
        Path.Combine(data, "fleet.log"),
        [],
        "fleet", "--pki", pki, "--devices", $"{devices}", "--mqtt", $"localhost:{FirstPort}", "--https", $"localhost:{FirstPort + 1}",
        "--server-ca", Path.Combine(profile, "server-ca.pem"), "--log", Path.Combine(data, "fleet.jsonl"),
        "--state", Path.Combine(data, "fleet.state"), "--model", DemoRun.Model);

    private static Dictionary<string, string> HostSettings(string data) => new()
    {
        ["Muster__Data__Directory"] = data,
        ["Muster__Mqtt__Port"] = $"{FirstPort}",
        ["Muster__DeviceHttps__Port"] = $"{FirstPort + 1}",
        ["Muster__Grpc__Port"] = $"{FirstPort + 2}",
        ["Muster__Cluster__SiloPort"] = $"{FirstPort + 3}",
        ["Muster__Cluster__GatewayPort"] = $"{FirstPort + 4}",
    };

    private static Process Start(string assembly, string log, Dictionary<string, string> settings, params string[] arguments)
    {
        // The shell keeps the output in a file without a reader in this process, and then becomes the program.
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        foreach (var argument in new[] { "-c", "exec dotnet \"$@\" >\"$0\" 2>&1", log, assembly }.Concat(arguments))
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start) ?? throw new InvalidOperationException($"'{assembly}' did not start.");
    }

    private static async Task ListeningAsync(int port, Process host, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var started = time.GetTimestamp(); ;)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", port, cancellationToken);
                return;
            }
            catch (SocketException) when (!host.HasExited && time.GetElapsedTime(started) < StartPatience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), time, cancellationToken);
            }
        }
    }
}
