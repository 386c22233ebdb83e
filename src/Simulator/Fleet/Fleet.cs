using System.Security.Cryptography.X509Certificates;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Decommissioning;
using Muster.Cryptography.Manifests;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Protocol.Device.V1;
using Muster.Simulator.Devices;
using Muster.Simulator.Vendor;

namespace Muster.Simulator.Fleet;

/// <summary>All virtual devices of this process and what they share.</summary>
internal sealed class Fleet : IDisposable
{
    private static readonly Setting[] Settings =
    [
        new() { Name = "Network.SSH.Enabled", Value = "no" },
        new() { Name = "Network.FTP.Enabled", Value = "no" },
        new() { Name = "Network.SSDP.Enabled", Value = "yes" },
        new() { Name = "System.BasicAuth.Enabled", Value = "no" },
    ];

    public Fleet(FleetOptions options, string logPath, string statePath, TimeProvider time)
    {
        (Options, Time) = (options, time);
        DownloadFolder = statePath + ".downloads";
        Directory.CreateDirectory(DownloadFolder);
        Log = new FleetLog(logPath, time);
        Memory = new FleetMemory(statePath);
        Connects = new SemaphoreSlim(options.ConnectsMax);
        Downloads = new SemaphoreSlim(options.DownloadsMax);
        Download = new ImageDownload(options, new ImageVerifier(VendorPki.ImageRoots(options.PkiFolder), new TrustStore([])), time);
    }

    public FleetOptions Options { get; }

    public TimeProvider Time { get; }

    public string DownloadFolder { get; }

    public FleetLog Log { get; }

    public FleetMemory Memory { get; }

    public SemaphoreSlim Connects { get; }

    public SemaphoreSlim Downloads { get; }

    public ImageDownload Download { get; }

    /// <summary>Half to one and a half of a pause, so that the devices of a fleet do not act as one.</summary>
    public static TimeSpan Jitter(TimeSpan pause) => pause * (0.5 + Random.Shared.NextDouble());

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var issuer = VendorPki.Issuer(Options.PkiFolder);
        var agents = new List<Task>(Options.Devices);
        for (var index = 0; index < Options.Devices && !cancellationToken.IsCancellationRequested; index++)
        {
            var memory = new DeviceMemory(FleetOptions.Serial(index), Options.Model, Options.OsVersion);
            var traits = index == 0 ? new DeviceTraits { Fault = Options.Fault } : DeviceTraits.Sound;
            agents.Add(Start(issuer, memory, traits, cancellationToken));
        }

        foreach (var misfit in Options.HasMisfits ? Misfit.All : [])
        {
            agents.Add(Start(issuer, misfit.FirstMemory(Options), misfit.Traits, cancellationToken));
        }

        // A fault of one agent is a defect of the simulator and ends the process with its text.
        await foreach (var agent in Task.WhenEach(agents))
        {
            try
            {
                await agent;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // The fleet ends.
            }
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, Time, cancellationToken).ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public void Dispose()
    {
        Log.Dispose();
        Memory.Dispose();
        Connects.Dispose();
        Downloads.Dispose();
    }

    private Task Start(DeviceIdentityIssuer issuer, DeviceMemory first, DeviceTraits traits, CancellationToken cancellationToken)
    {
        var serial = first.Serial;
        var identity = VendorPki.Identity(Options.PkiFolder, issuer, serial, Time.GetUtcNow());
        var disguise = traits.Fault == DeviceFault.TombstoneLetIn
            ? VendorPki.Identity(Options.PkiFolder, issuer, FleetOptions.SpareSerial, Time.GetUtcNow())
            : null;
        var device = new VirtualDevice(
            Memory.Find(serial) ?? first, Settings, (nonce, boot) => Prove(serial, nonce, boot, identity), traits);
        var agent = new DeviceAgent(this, device, identity, disguise);
        return Task.Run(() => agent.RunAsync(cancellationToken), CancellationToken.None);
    }

    private static byte[] Prove(string serial, string nonce, string boot, X509Certificate2 identity)
    {
        if (!DeviceId.TryParse(serial, out var id))
        {
            throw new InvalidOperationException($"'{serial}' is no device id.");
        }

        return ErasureProofSigner.Sign(new ErasureProof(TenantId.Default, id, nonce, boot, ErasureProof.FactoryDefault), identity);
    }
}
