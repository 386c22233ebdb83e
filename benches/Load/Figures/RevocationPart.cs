using System.Globalization;
using System.Net;
using Muster.Load.Generator;
using Muster.Load.Servers;
using Muster.Protocol;

namespace Muster.Load.Figures;

/// <summary>
/// From a decision to the end of the sessions that it takes the right from, while two gateways are full. The maker made two certificates
/// for one serial: before the enrolment either may connect; the enrolment of one commits, and the other's sessions end on both gateways.
/// </summary>
internal sealed class RevocationPart(AdmissionPlan plan, Workplace place, RunRecord record, TimeProvider clock)
{
    private const int Gateways = 2;
    private const double SecondsMax = 2;
    private const double Percentile = 0.99;

    /// <summary>Each loses a session on both gateways.</summary>
    private const int RevokedDevices = 100;

    /// <summary>Apart, so that each meets another moment of the gateways' half second.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(130);

    /// <summary>A session that lives longer counts as one that does not end.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public async Task RunAsync()
    {
        using var cluster = await MusterCluster.StartAsync(place, plan.SiloAssembly, plan.GatewayAssembly, Gateways, clock);
        var devices = place.Devices[..(Gateways * plan.Largest)];
        string[] revoked = [.. Enumerable.Range(1, RevokedDevices).Select(index => $"B8A44F{index:X6}")];
        await cluster.Gateways[0].Api.ExpectAsync([.. devices, .. revoked]);
        var fleets = new List<HeldFleet>();
        try
        {
            foreach (var (gateway, own) in cluster.Gateways.Zip(devices.Chunk(plan.Largest)))
            {
                fleets.Add(await HeldFleet.StartAsync(place.OrderFor(gateway.Port, gateway.Api.ServerCaFile, own, speaks: true)));
            }

            await Task.WhenAll(fleets.Select(fleet => fleet.ConnectAsync()));
            Print(await RevokeAllAsync(cluster, revoked));
        }
        finally
        {
            fleets.ForEach(fleet => fleet.Dispose());
        }
    }

    private void Print(IReadOnlyList<Ending> endings)
    {
        var times = new CallTimes([[.. endings.Select(ending => ending.Seconds)]], endings.Count(ending => !ending.IsOver));
        var acknowledged = new CallTimes([[.. endings.Select(ending => ending.AfterAnswer)]], 0);
        record.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"revocation: {endings.Count} sessions, {times.Failed} not ended; counted from the answer to the decision instead of from its "
            + $"sending: median {acknowledged.At(0.5):0.00} s, the longest {acknowledged.At(1):0.00} s"));
        record.Add(Figure.Beside("revocation_median", times.At(0.5), "s"));
        record.Add(Figure.AtMost("revocation_p99", times.At(Percentile), "s", SecondsMax, times.Failed == 0));
        record.Add(Figure.AtMost("revocation_max", times.At(1), "s", SecondsMax, times.Failed == 0));
    }

    private async Task<IReadOnlyList<Ending>> RevokeAllAsync(MusterCluster cluster, string[] revoked)
    {
        var (owners, others) = (place.IssueIn("owners", revoked), place.IssueIn("others", revoked));
        var sessions = new List<Task<DeviceConnection>[]>();
        foreach (var device in revoked)
        {
            sessions.Add([.. cluster.Gateways.Select((gateway, index) => OpenAsync(gateway, others, device, $"{device}/log{index}"))]);
            await Task.WhenAll(sessions[^1]);
        }

        using var timer = new PeriodicTimer(Pace, clock);
        var endings = new List<Task<Ending[]>>();
        for (var i = 0; i < revoked.Length && await timer.WaitForNextTickAsync(); i++)
        {
            endings.Add(RevokeAsync(cluster.Gateways[i % Gateways], owners, revoked[i], await Task.WhenAll(sessions[i])));
        }

        return [.. (await Task.WhenAll(endings)).SelectMany(ending => ending)];
    }

    /// <summary>The owner enrols; the sessions of the other certificate are watched.</summary>
    private async Task<Ending[]> RevokeAsync(ClusterGateway gateway, string owners, string device, DeviceConnection[] sessions)
    {
        using var owner = await OpenAsync(gateway, owners, device, device);
        var hello = UpTemplate.Of(device, Topics.Hello, place.BootId);
        var began = clock.GetTimestamp();
        var answer = AnswerAsync();
        return await Task.WhenAll(sessions.Select(async session =>
        {
            using var limit = new CancellationTokenSource(Patience, clock);
            var isOver = true;
            try
            {
                await session.WaitForEndAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                isOver = false;
            }

            var seconds = clock.GetElapsedTime(began).TotalSeconds;
            session.Dispose();
            return new Ending(seconds, seconds - await answer, isOver);
        }));

        async Task<double> AnswerAsync()
        {
            await owner.SayAsync(hello, GeneratorRun.FirstSequence(clock), CancellationToken.None);
            return clock.GetElapsedTime(began).TotalSeconds;
        }
    }

    private static Task<DeviceConnection> OpenAsync(ClusterGateway gateway, string identities, string device, string clientId) =>
        DeviceConnection.OpenAsync(
            new IPEndPoint(IPAddress.Loopback, gateway.Port),
            ClientIdentity.Read(identities, device, ClientIdentity.Trust(gateway.Api.ServerCaFile)),
            Packets.Connect(clientId),
            CancellationToken.None);

    private sealed record Ending(double Seconds, double AfterAnswer, bool IsOver);
}
