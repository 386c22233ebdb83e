using System.Globalization;
using Muster.Load.Servers;

namespace Muster.Load.Figures;

/// <summary>How the devices' edge is measured.</summary>
internal sealed record AdmissionPlan(int[] Connections, int Rounds, double Seconds)
{
    public static readonly string[] AllParts = ["connects", "idle", "reports", "revocation", "storm"];

    public required string[] Parts { get; init; }

    public required string SiloAssembly { get; init; }

    public required string GatewayAssembly { get; init; }

    public required string BareAssembly { get; init; }

    /// <summary>Keeps the devices' keys and certificates from run to run.</summary>
    public required string IdentityFolder { get; init; }

    /// <summary>What one server holds at the most.</summary>
    public int Largest => Connections.Max();
}

/// <summary>What the devices' edge takes: connects, idle connections, reports of many, revocations, and a storm of reconnects.</summary>
internal sealed class AdmissionBench(AdmissionPlan plan, RunRecord record, TimeProvider clock)
{
    /// <summary>Files, libraries, and connections between servers.</summary>
    private const int OtherDescriptors = 1_000;

    /// <summary>On a reconnect the old sockets may not be gone yet; loopback has 28,000 ports for one server.</summary>
    private const int ConnectionsMax = 25_000;

    private const int Gateways = 2;

    public async Task RunAsync()
    {
        var descriptors = DescriptorsMax();
        if (plan.Largest + OtherDescriptors > descriptors || plan.Largest > ConnectionsMax)
        {
            throw new InvalidOperationException(
                $"{plan.Largest} connections to one server: a process may open {descriptors} files here (ulimit -Hn) and needs "
                + $"{OtherDescriptors} others, and loopback has ports for {ConnectionsMax}.");
        }

        record.Note($"a process may open {descriptors} files; storm and revocation have {plan.Largest} devices on each of two gateways");
        using var place = Workplace.Create(Gateways * plan.Largest, clock.GetUtcNow(), plan.IdentityFolder);
        foreach (var part in plan.Parts)
        {
            var began = clock.GetTimestamp();
            await RunAsync(part, place);
            record.Note(string.Create(CultureInfo.InvariantCulture, $"{part} took {clock.GetElapsedTime(began).TotalSeconds:0} s"));
        }
    }

    private Task RunAsync(string part, Workplace place) => part switch
    {
        "connects" => new ConnectsPart(plan, place, record, clock).RunAsync(),
        "idle" => new IdlePart(plan, place, record, clock).RunAsync(),
        "reports" => new ReportsPart(plan, place, record, clock).RunAsync(),
        "revocation" => new RevocationPart(plan, place, record, clock).RunAsync(),
        "storm" => new StormPart(plan, place, record, clock).RunAsync(),
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, string.Join(", ", AdmissionPlan.AllParts)),
    };

    /// <summary>The hard limit: the runtime raises its own to it.</summary>
    private static int DescriptorsMax()
    {
        var line = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        var hard = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4];
        return int.TryParse(hard, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;
    }
}
