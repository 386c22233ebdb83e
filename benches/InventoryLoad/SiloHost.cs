using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Muster.Contracts.Commit;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Gateway.Grpc;
using Muster.Grains.Devices;
using Muster.Silo.Hosting;
using Muster.Storage;
using System.Collections.Immutable;

namespace Muster.InventoryLoad;

/// <summary>A silo as the product builds it, in this process, whose memory can be asked for.</summary>
internal static class SiloHost
{
    public static IHost Build(string store, Action<IServiceCollection>? more = null)
    {
        var builder = Host.CreateApplicationBuilder();
        // Nudges that a stopping silo no longer delivers are nothing to read.
        builder.Logging.SetMinimumLevel(LogLevel.Critical);
        builder.Services.AddSingleton<IErasureProofVerifier, NeverAsked>();
        builder.Services.AddSingleton<IFeedNudge, FeedNudge>();
        builder.Services.AddSingleton<RowLister>();
        builder.Services.AddSingleton<RowWatch>();
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(FreePort(), FreePort());
            silo.UseInMemoryReminderService();
            silo.AddMusterStorage(options => options.ConnectionString = store);
            silo.AddDevices();
        });
        more?.Invoke(builder.Services);
        return builder.Build();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class NeverAsked : IErasureProofVerifier
    {
        public FleetError? Verify(ErasureProof proof, ImmutableArray<byte> publicKey, ImmutableArray<byte> signature) =>
            throw new InvalidOperationException("No device is erased here.");
    }
}
