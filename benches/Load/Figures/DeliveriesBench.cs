using System.Globalization;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Muster.Load.Servers;
using Muster.Protocol.V1;

namespace Muster.Load.Figures;

/// <summary>What imports are measured with.</summary>
internal sealed record DeliveriesPlan(int Lines, string SiloAssembly);

/// <summary>
/// How long the list of a delivery takes, from the first byte that is sent to the answer that it is complete, and once more when all its
/// devices are there.
/// </summary>
internal sealed class DeliveriesBench(DeliveriesPlan plan, RunRecord record, TimeProvider clock)
{
    private const double SecondsMax = 30;

    /// <summary>As the command line sends it.</summary>
    private const int ChunkBytes = 64 * 1024;

    public async Task RunAsync()
    {
        using var place = Workplace.Create(0, clock.GetUtcNow());
        var list = List(plan.Lines);
        record.Note(string.Create(CultureInfo.InvariantCulture, $"{plan.Lines} lines, {list.Length} bytes of CSV"));
        using (var embedded = await MusterHost.StartAsync(place, plan.SiloAssembly, null, clock))
        {
            await MeasureAsync(embedded, list);
        }

        using var redis = await Redis.StartAsync(place, clock);
        using var host = await MusterHost.StartAsync(place, plan.SiloAssembly, redis, clock);
        await MeasureAsync(host, list);
    }

    /// <summary>Forty models, two hundred orders, three hundred sites; every device with a certificate of its own.</summary>
    private static byte[] List(int lines)
    {
        var text = new StringBuilder("serial,model,order,site,warranty_start,warranty_months,certificate_sha256\n");
        for (var i = 0; i < lines; i++)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"ACCC8E{i:X6},P32{i % 40}-V,order-{i % 200},\"Site {i % 300}, hall {i % 7}\",2026-{(i % 12) + 1:00}-01,60,{i:x64}\n");
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private async Task MeasureAsync(MusterHost host, byte[] list)
    {
        foreach (var again in (bool[])[false, true])
        {
            var name = $"deliveries_{host.Name}{(again ? "_again" : "")}";
            var before = Cpu(host);
            var began = clock.GetTimestamp();
            var delivery = await ImportAsync(host, list);
            var seconds = clock.GetElapsedTime(began).TotalSeconds;
            var isWhole = delivery.Refused == 0 && (again ? delivery.Unchanged : delivery.Created) == plan.Lines;
            record.Add(Figure.AtMost(name, seconds, "s", SecondsMax, isWhole));
            record.Add(Figure.Beside(name + "_rate", plan.Lines / seconds, "1/s"));
            record.Add(Figure.Beside(name + "_cpu", Cpu(host) - before, "s"));
            record.Note(string.Create(CultureInfo.InvariantCulture, $"{name}: the host holds {MemoryOf(host) >> 20} MiB then"));
        }
    }

    private static async Task<Delivery> ImportAsync(MusterHost host, byte[] list)
    {
        using var operators = host.Connect();
        using var call = new Deliveries.DeliveriesClient(operators).ImportDelivery();
        var sending = SendAsync(call.RequestStream, list);
        Delivery? complete = null;
        await foreach (var response in call.ResponseStream.ReadAllAsync())
        {
            complete = response.Delivery;
        }

        await sending;
        return complete ?? throw new InvalidOperationException("The import ended without a word.");
    }

    private static async Task SendAsync(IClientStreamWriter<ImportDeliveryRequest> stream, byte[] list)
    {
        await stream.WriteAsync(new ImportDeliveryRequest
        {
            Header = new ImportDeliveryHeader { Parent = "tenants/default", DeliveryId = "bench", Format = DeliveryFormat.Csv },
        });
        foreach (var part in list.Chunk(ChunkBytes))
        {
            await stream.WriteAsync(new ImportDeliveryRequest { Chunk = UnsafeByteOperations.UnsafeWrap(part) });
        }

        await stream.CompleteAsync();
    }

    private static double Cpu(MusterHost host) => host.Processes.Sum(ServerProcess.CpuSecondsOf);

    private static long MemoryOf(MusterHost host)
    {
        using var process = System.Diagnostics.Process.GetProcessById(host.Processes[0]);
        return process.WorkingSet64;
    }
}
