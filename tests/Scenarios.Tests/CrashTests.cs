namespace Muster.Scenarios.Tests;

/// <summary>
/// kill -9 in every step of the job: it goes on where it was. The scenario itself compares each device's acknowledged hello and
/// settings and its installs, as the fleet's own log has them, with what the API says; here the process is killed under it.
/// </summary>
public sealed class CrashTests
{
    private const int Devices = 12;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Job_HostKilledInEveryStep_GoesOnWhereItWas()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Cancel);
        await muster.StartAsync(Cancel);
        await using var fleet = SimulatorProgram.StartFleet(muster, Devices);
        await using var scenario = SimulatorProgram.StartScenario(muster, Devices);

        await scenario.SeeAsync("Enrolment", Cancel);
        await FleetLog.SeenAsync(muster, "hello_acked", 3, Cancel);
        await KillAndStartAsync(muster);
        await scenario.SeeAsync("Policy and image", Cancel);
        await KillAndStartAsync(muster);
        await scenario.SeeAsync("WAVE_STARTED: Wave 0", Cancel);
        await KillAndStartAsync(muster);
        await scenario.SeeAsync("WAVE_STARTED: Wave 1", Cancel);
        await FleetLog.SeenAsync(muster, "installed", 3, Cancel);
        await KillAndStartAsync(muster);
        await scenario.SeeAsync("Settings", Cancel);
        await KillAndStartAsync(muster);
        await scenario.SeeAsync("Warranty", Cancel);
        await KillAndStartAsync(muster);
        await scenario.SeeAsync("End of support", Cancel);
        await KillAndStartAsync(muster);
        await scenario.SeeAsync("tombstones", Cancel);
        await KillAndStartAsync(muster);

        await RequireDoneAsync(muster, await scenario.EndAsync(Cancel));
    }

    [Fact]
    public async Task Job_FleetKilledInMidWave_InstallsNothingTwice()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Cancel);
        await muster.StartAsync(Cancel);
        await using var scenario = SimulatorProgram.StartScenario(muster, Devices);
        await using (var fleet = SimulatorProgram.StartFleet(muster, Devices))
        {
            await scenario.SeeAsync("WAVE_STARTED: Wave 1", Cancel);
            await FleetLog.SeenAsync(muster, "installed", 4, Cancel);
            fleet.Kill();
        }

        await using var again = SimulatorProgram.StartFleet(muster, Devices);

        await RequireDoneAsync(muster, await scenario.EndAsync(Cancel));
    }

    private static async Task KillAndStartAsync(OneProcess muster)
    {
        muster.Kill();
        await muster.StartAsync(Cancel);
    }

    private static async Task RequireDoneAsync(OneProcess muster, DemoResult result)
    {
        Assert.True(result.Code == 0, result.Progress);
        Assert.Equal(0, result.Count("violations"));
        string[] counts = ["enrolled", "updated", "boot_confirmed", "compliant", "configured", "decommissioned", "tombstone_refused"];
        Assert.All(counts, count => Assert.Equal(Devices, result.Count(count)));
        var installs = (await FleetLog.EventsAsync(muster, "installed", Cancel)).GroupBy(device => device, StringComparer.Ordinal).ToList();
        Assert.Equal(Devices, installs.Count);
        Assert.All(installs, device => Assert.Single(device));
    }
}
